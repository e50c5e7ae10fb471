//! Finds the models below a folder, for the study file that `surmise init` writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::disk;
use crate::error::{Error, Result};

/// A model found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundModel {
    /// Folder or GGUF file of the model.
    pub path: PathBuf,
    /// A guess at the family: the start of the name up to the size or, if the name contains no size, the
    /// architecture.
    pub family: String,
}

/// Maximum depth of the search.
const DEEPEST: usize = 6;
/// Maximum number of models in the result.
const MOST: usize = 1000;

/// Finds the checkpoints and GGUF files below a folder. The result is sorted by path.
///
/// # Errors
/// [`Error::Read`] if the folder cannot be listed.
pub fn scan(folder: &Path) -> Result<Vec<FoundModel>> {
    let mut found = vec![];
    std::fs::read_dir(folder).map_err(|source| Error::Read { path: folder.into(), source })?;
    look(folder, 0, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.truncate(MOST);
    Ok(found)
}

fn look(folder: &Path, depth: usize, found: &mut Vec<FoundModel>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let (mut folders, mut ggufs, mut has_weights) = (vec![], vec![], false);
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            // Symbolic links are skipped, because they may form a cycle.
            let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_symlink());
            if !name.starts_with('.') && !is_link {
                folders.push(path);
            }
        } else if name.to_lowercase().ends_with(".gguf") {
            ggufs.push(path);
        } else {
            has_weights |= name.ends_with(".safetensors") || name == "pytorch_model.bin";
            has_weights |= name == "pytorch_model.bin.index.json";
        }
    }
    if has_weights && folder.join("config.json").is_file() {
        found.push(FoundModel { path: folder.into(), family: family(folder) });
        return;
    }
    let first_part = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        !name.contains("-of-") || name.contains("00001-of-")
    };
    let ggufs = ggufs.into_iter().filter(first_part);
    found.extend(ggufs.map(|path| FoundModel { family: family(&path), path }));
    if depth < DEEPEST && found.len() < MOST {
        folders.iter().for_each(|folder| look(folder, depth + 1, found));
    }
}

/// The family of a model: its name up to the size, such as `pythia` for `pythia-70m-deduped`.
fn family(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let parts: Vec<&str> = name.split(['-', '_', '.', ' ']).collect();
    let is_size = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && part.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<f64>().is_ok()
    };
    let before: Vec<&str> = parts.iter().copied().take_while(|part| !is_size(part)).collect();
    if !before.is_empty() && before.len() < parts.len() {
        return before.join("-");
    }
    let config = disk::read(path.join("config.json")).unwrap_or_default();
    let config: BTreeMap<String, Value> = serde_json::from_slice(&config).unwrap_or_default();
    let architecture = config.get("model_type").and_then(Value::as_str);
    architecture.map_or(name, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_the_name_up_to_the_size() {
        for (name, of) in [
            ("pythia-70m-deduped", "pythia"),
            ("SmolLM2-135M-Instruct-Q4_K_M.gguf", "smollm2"),
            ("gemma-3-270m-it.gguf", "gemma"),
            ("llama", "llama"),
        ] {
            assert_eq!(family(Path::new(name)), of);
        }
    }

    #[test]
    fn checkpoints_and_gguf_files_are_found_and_other_folders_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "{}").expect("a file");
        };
        for name in [
            "a/m-1b/config.json",
            "a/m-1b/model.safetensors",
            "b/x.gguf",
            "b/y-00001-of-00002.gguf",
            "b/y-00002-of-00002.gguf",
            "c/config.json",
            ".hidden/z.gguf",
        ] {
            file(name);
        }
        let found = scan(folder.path()).expect("models");
        let names: Vec<String> = found
            .iter()
            .map(|model| model.path.strip_prefix(folder.path()).expect("below").display().to_string())
            .collect();
        assert_eq!(names, ["a/m-1b", "b/x.gguf", "b/y-00001-of-00002.gguf"]);
        assert_eq!(found[0].family, "m");
        assert!(scan(&folder.path().join("none")).is_err());
    }
}
