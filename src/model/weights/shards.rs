//! Opens a checkpoint in several files (shards). The index lists the file of each tensor.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path};

use serde_json::Value;

use super::bytes::Bytes;
use super::entry::TensorEntry;
use super::format::entries;
use crate::disk;
use crate::error::{Error, Result};

/// The files that an index names, sorted by name, and the tensors of all files.
///
/// # Errors
/// [`Error::Json`] and [`Error::Config`] for a malformed index, [`Error::Read`] for a missing file,
/// [`Error::Tensor`] for a tensor that is missing from its file or is in two files, and an error for any
/// fault in a file.
pub(super) fn open(path: &Path) -> Result<(Vec<Bytes>, HashMap<String, TensorEntry>)> {
    let fault = |reason: String| Error::Config {
        path: path.into(),
        reason: format!("{reason}; correct the file or download it again"),
    };
    let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let index: Value =
        serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.into(), source })?;
    let Some(map) = index.get("weight_map").and_then(Value::as_object) else {
        return Err(fault("has no `weight_map`, the object that assigns tensors to files".into()));
    };
    let mut places = Vec::with_capacity(map.len());
    for (tensor, file) in map {
        // Paths outside the folder are errors, because a malicious index could otherwise read any file.
        let inside = |name: &&str| {
            let mut parts = Path::new(name).components();
            !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
        };
        let name = file.as_str().filter(inside);
        let name = name.ok_or_else(|| {
            fault(format!(
                "assigns tensor `{tensor}` to {file}, which is not the name of a file in the same \
                           folder"
            ))
        })?;
        places.push((tensor.as_str(), name));
    }
    let names: BTreeSet<&str> = places.iter().map(|(_, file)| *file).collect();
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = names.iter().map(|name| Bytes::open(&folder.join(name))).collect::<Result<Vec<_>>>()?;
    let mut all: HashMap<String, TensorEntry> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        for (name, entry) in entries(file, at)? {
            if let Some(first) = all.get(&name) {
                let other = files[first.file].path().display();
                let reason =
                    format!("is in this file and in {other}; download or save the whole checkpoint again");
                return Err(Error::Tensor { path: file.path().into(), tensor: name, reason });
            }
            all.insert(name, entry);
        }
    }
    let missing = |(tensor, file): &&(&str, &str)| {
        all.get(*tensor).is_none_or(|e| files[e.file].path() != folder.join(file))
    };
    if let Some((tensor, file)) = places.iter().find(missing) {
        let reason = format!(
            "is not in {file}, although the index lists it there; download or save the whole checkpoint again"
        );
        return Err(Error::Tensor { path: path.into(), tensor: (*tensor).to_owned(), reason });
    }
    Ok((files, all))
}
