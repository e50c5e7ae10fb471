//! Selects the files of a repository that make up a model.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde_json::Value;

use crate::model::weights::gguf::{self, PartName};
use crate::model::weights::{PUBLISHED, adapter, foreign};

pub(super) const CONFIG: &str = "config.json";
#[cfg(feature = "hub")]
const TOKENIZER: &str = "tokenizer.json";
/// Tokenizer files of repositories without tokenizer.json.
#[cfg(feature = "hub")]
const OLDER_TOKENIZERS: [&str; 5] =
    ["vocab.json", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.model"];
/// Files with special tokens and chat templates, which are downloaded if they exist.
#[cfg(feature = "hub")]
const OPTIONAL: [&str; 5] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
];
/// Folder of further chat templates.
#[cfg(feature = "hub")]
const CHAT_TEMPLATES: &str = "additional_chat_templates/";

/// Whether a relative path stays inside the folder that it is joined to, on every operating system.
pub(super) fn stays_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':', '\0'])
        && !path.ends_with('/')
        && !path.contains("//")
        && !path.split('/').any(|part| part == "." || part == "..")
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The small files among `names` that surmise reads in addition to the weights.
#[cfg(feature = "hub")]
pub(super) fn companions<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let has = |name: &str| names.contains(&name);
    let is_wanted = |name: &str| {
        name == CONFIG
            || name == adapter::CONFIG
            || name == TOKENIZER
            || (!has(TOKENIZER) && OLDER_TOKENIZERS.contains(&name))
            || OPTIONAL.contains(&name)
            || (name.starts_with(CHAT_TEMPLATES) && name.ends_with(".jinja") && stays_inside(name))
    };
    names.iter().copied().filter(|name| is_wanted(name)).collect()
}

/// Checks that `names` contains a supported tokenizer.
///
/// # Errors
/// Returns a message with advice if there is no supported tokenizer.
#[cfg(feature = "hub")]
pub(super) fn check_tokenizer(names: &[&str]) -> Result<(), String> {
    let has = |name: &str| names.contains(&name);
    if has(TOKENIZER)
        || (has("vocab.json") && has("merges.txt"))
        || OLDER_TOKENIZERS[2..].iter().any(|n| has(n))
    {
        return Ok(());
    }
    Err("has no tokenizer.json, nor vocab.json with merges.txt, nor tokenizer.model; create a tokenizer.json \
         with transformers (`AutoTokenizer.from_pretrained(id).save_pretrained(folder)`), put config.json \
         and the weights in the same folder, and give the folder"
        .into())
}

/// The weight file of an adapter, if the repository is an adapter. `has` returns whether a file exists.
pub(super) fn adapter_weights(has: &dyn Fn(&str) -> bool) -> Option<&'static str> {
    has(adapter::CONFIG).then(|| adapter::WEIGHTS.into_iter().find(|name| has(name)))?
}

/// The weight file of a model, or the index of its weight files; `None` for an adapter without the weights of
/// its base. `has` returns whether a file exists. The error is the reason why the files are not a readable
/// model.
pub(super) fn weights(has: &dyn Fn(&str) -> bool, names: &[&str]) -> Result<Option<&'static str>, String> {
    let some = |end: &str| names.iter().any(|name| name.ends_with(end));
    let weights = PUBLISHED.into_iter().find(|file| has(file));
    if weights.is_none() && adapter_weights(has).is_some() {
        return Ok(None);
    }
    if weights.is_none() && some(".gguf") {
        return Err(format!("has only GGUF files ({}); name one of them as owner/name:FILE", ggufs(names)));
    }
    if weights.is_none()
        && let Some(reason) = foreign::reason(names)
    {
        return Err(reason);
    }
    let Some(weights) = weights else {
        return Err(format!(
            "has none of the weight files {}; use another repository of the model",
            PUBLISHED.join(", ")
        ));
    };
    if !has(CONFIG) {
        return Err("has no config.json; use a repository in the format of transformers".into());
    }
    Ok(Some(weights))
}

/// The message for a repository without the requested file.
#[cfg(feature = "hub")]
pub(super) fn without_file(file: &str, names: &[&str]) -> String {
    let known = ggufs(names);
    let known = if known.is_empty() { "no GGUF file".into() } else { known };
    format!("has no file {file}; it has {known}")
}

/// The GGUF models among some file names.
fn ggufs(names: &[&str]) -> String {
    gguf::models(names).join(", ")
}

/// All files of the model that a GGUF file belongs to: the parts of the model, or the file itself.
pub(super) fn parts(file: &str) -> Vec<String> {
    PartName::parse(file).map_or_else(|| vec![file.to_owned()], |part| part.all().collect())
}

/// The files that an index names. All of them must be inside the folder of the index.
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
    if shards.is_empty() { Err("lists no files".into()) } else { Ok(shards) }
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
        assert!(
            says(&["config.json", "model.Q4.gguf"])
                .contains("(model.Q4.gguf); name one of them as owner/name:FILE")
        );
        assert!(says(&["config.json", "tokenizer.json"]).contains("none of the weight files"));
        assert!(says(&["config.json", "tf_model.h5"]).contains("(TensorFlow)"));
        assert!(says(&["pytorch_model.bin"]).contains("no config.json"));
        let adapter = ["adapter_config.json", "adapter_model.bin"];
        assert_eq!(weights(&|file| adapter.contains(&file), &adapter), Ok(None));
        let both = ["pytorch_model.bin", "model.safetensors.index.json", "config.json", "tokenizer.json"];
        assert_eq!(weights(&|file| both.contains(&file), &both), Ok(Some("model.safetensors.index.json")));
    }

    #[cfg(feature = "hub")]
    #[test]
    fn what_is_fetched_beside_the_weights_is_what_is_read_beside_them() {
        let names = [
            "config.json",
            "tokenizer.json",
            "vocab.json",
            "chat_template.jinja",
            "README.md",
            "additional_chat_templates/tools.jinja",
            "additional_chat_templates/../../x.jinja",
            "onnx/model.onnx",
        ];
        let kept = [names[0], names[1], names[3], names[5]];
        assert_eq!(companions(&names), kept);
        let old = ["vocab.json", "merges.txt", "added_tokens.json"];
        assert_eq!(companions(&old), old);
        assert!(check_tokenizer(&old).is_ok() && check_tokenizer(&names).is_ok());
        assert!(check_tokenizer(&["vocab.json"]).expect_err("no merges").contains("no tokenizer.json"));
    }
}
