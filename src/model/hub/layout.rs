//! Which files of a repository make a model.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde_json::Value;

pub(super) const CONFIG: &str = "config.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";
/// Taken where it is there: it says which tokens open and close a text.
#[cfg(feature = "hub")]
pub(super) const OPTIONAL: &str = "tokenizer_config.json";
/// Weights, the best first: safetensors before pickles, one file before several.
pub(super) const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// Whether a relative path names a file below the folder it is joined to, on every system.
pub(super) fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && !path.ends_with('/')
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The weights among the files `has` knows, or why these files make no model that can be read.
pub(super) fn weights(has: &dyn Fn(&str) -> bool, names: &[&str]) -> Result<&'static str, String> {
    let some = |end: &str| names.iter().any(|name| name.ends_with(end));
    let weights = WEIGHTS.into_iter().find(|file| has(file));
    if weights.is_none() && some(".gguf") {
        return Err("has GGUF files only, which are quantised and not read; take the repository they were \
                    made from (its model card names the base model), or convert one with transformers \
                    (`AutoModelForCausalLM.from_pretrained(id, gguf_file=...)`, then \
                    `save_pretrained(folder)`) and give the folder"
            .into());
    }
    let Some(weights) = weights else {
        return Err(format!(
            "has no weights: none of {}; take another repository of the model",
            WEIGHTS.join(", ")
        ));
    };
    if !has(CONFIG) {
        return Err("has no config.json; take a repository in the format of transformers".into());
    }
    if !has(TOKENIZER) {
        let old: Vec<_> = ["vocab.json", "merges.txt", "tokenizer.model", "spiece.model"]
            .into_iter()
            .filter(|file| has(file))
            .collect();
        let found = if old.is_empty() { String::new() } else { format!(", only {}", old.join(" and ")) };
        return Err(format!(
            "has no tokenizer.json{found}; make one with transformers \
             (`AutoTokenizer.from_pretrained(id).save_pretrained(folder)`), put config.json and the weights \
             beside it, and give the folder"
        ));
    }
    Ok(weights)
}

/// The files an index names, each below the index's folder.
pub(super) fn shards(index: &[u8]) -> Result<BTreeSet<String>, String> {
    let value: Value = serde_json::from_slice(index).map_err(|error| format!("is not JSON ({error})"))?;
    let map = value.get("weight_map").and_then(Value::as_object).ok_or("has no object `weight_map`")?;
    let mut shards = BTreeSet::new();
    for (tensor, file) in map {
        let file = file.as_str().ok_or_else(|| format!("names no file for tensor `{tensor}`"))?;
        if !stays_inside(file) {
            return Err(format!(
                "names the file `{}`, which would lie outside the model's folder",
                file.escape_debug()
            ));
        }
        shards.insert(file.to_owned());
    }
    if shards.is_empty() { Err("names no file".into()) } else { Ok(shards) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_its_folder_is_seen() {
        for path in ["a", "a/b", "refs/pr/1", "step1000", "..a", "a..b"] {
            assert!(stays_inside(path), "{path}");
        }
        for path in ["", "/", "/a", "..", "a/../b", "./a", "a/.", "a//b", "a/", "a\\..\\b", "C:a", "a\0"] {
            assert!(!stays_inside(path), "{path:?}");
        }
    }

    #[test]
    fn what_is_missing_in_a_repository_is_said_with_a_way_out() {
        let says = |names: &[&str]| weights(&|file| names.contains(&file), names).expect_err("no model");
        assert!(says(&["config.json", "model.Q4.gguf"]).contains("GGUF files only"));
        assert!(says(&["config.json", "tokenizer.json"]).contains("no weights"));
        assert!(says(&["pytorch_model.bin"]).contains("no config.json"));
        let old = says(&["config.json", "model.safetensors", "vocab.json", "merges.txt"]);
        assert!(old.contains("no tokenizer.json, only vocab.json and merges.txt; make one"));
        let both = ["pytorch_model.bin", "model.safetensors.index.json", "config.json", "tokenizer.json"];
        assert_eq!(weights(&|file| both.contains(&file), &both), Ok("model.safetensors.index.json"));
    }
}
