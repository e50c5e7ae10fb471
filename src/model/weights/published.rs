//! Finds the weight files of a folder by their standard names.

use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use crate::error::{Error, Result};

/// The standard names of weight files, in order of preference.
pub const PUBLISHED: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

impl Checkpoint {
    /// The path of the weight file of a folder, or of the index of several weight files. If the folder has
    /// neither, returns the path with the first standard name.
    ///
    /// # Errors
    /// [`Error::Weights`] for shards without an index.
    pub fn find(folder: &Path) -> Result<PathBuf> {
        if let Some(name) = PUBLISHED.iter().find(|name| folder.join(name).exists()) {
            return Ok(folder.join(name));
        }
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        if let Some(shard) = names.iter().find(|name| name.contains("-of-0") && name.starts_with("model-")) {
            let reason = "is one of several weight files, but the index of these files is missing; download \
                          or save model.safetensors.index.json as well";
            return Err(Error::Weights { path: folder.join(shard), reason: reason.into() });
        }
        Ok(folder.join(PUBLISHED[0]))
    }
}
