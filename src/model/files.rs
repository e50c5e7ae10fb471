//! Finds the files of a model by its name: an embedded model, a folder, or an id on a hub.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::embedded::{FAMILY, Member};
use super::hub::{self, Hub};
use super::weights::Checkpoint;
use crate::disk;
use crate::error::{Error, Result};

/// The files of one model, on disk or in the binary.
pub(super) struct ModelFiles {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) member: Option<&'static Member>,
}

impl ModelFiles {
    pub(super) fn open(name: &str, hub: &Hub) -> Result<Self> {
        let id = find(name, hub)?;
        let member = FAMILY.iter().find(|member| member.name == name);
        let folder = if member.is_none() && hub::is_id(name) { hub.folder(name)? } else { name.into() };
        Ok(Self { id, folder, member })
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The file of weights, or the index of several.
    pub(super) fn weights(&self) -> Result<PathBuf> {
        if self.member.is_some() {
            Ok(self.path("model.safetensors"))
        } else {
            Checkpoint::find(&self.folder)
        }
    }

    /// The bytes of a file other than the weights.
    pub(super) fn read(&self, file: &str) -> Result<Cow<'static, [u8]>> {
        match (self.member, file) {
            (Some(member), "config.json") => Ok(Cow::Borrowed(member.config)),
            (Some(member), "tokenizer.json") => Ok(Cow::Borrowed(member.tokenizer)),
            _ => disk::is_regular(&self.path(file))
                .and_then(|()| std::fs::read(self.path(file)))
                .map(Cow::Owned)
                .map_err(|source| Error::Read { path: self.path(file), source }),
        }
    }
}

/// The id of the model that a name stands for, before any of it is read or fetched.
///
/// # Errors
/// [`Error::Unknown`] if it is no embedded model, no folder, and no id on a hub.
pub(super) fn find(name: &str, hub: &Hub) -> Result<String> {
    if FAMILY.iter().any(|member| member.name == name) {
        return Ok(name.into());
    }
    if hub::is_id(name) {
        return hub.label(name);
    }
    let folder = Path::new(name);
    if folder.is_dir() {
        let resolved = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.into());
        return Ok(resolved
            .file_name()
            .map_or_else(|| name.into(), |last| last.to_string_lossy().into_owned()));
    }
    if folder.is_file() {
        let hint =
            "it is a file; give the folder it is in, with config.json, tokenizer.json and weights".into();
        return Err(Error::Unknown { kind: "model", name: name.into(), hint });
    }
    let known: Vec<_> = FAMILY.iter().map(|member| member.name).collect();
    let hint = format!(
        "it is no folder, and embedded are {}; give a folder with config.json, tokenizer.json and \
         weights, or owner/name on a hub",
        known.join(", ")
    );
    Err(Error::Unknown { kind: "model", name: name.into(), hint })
}
