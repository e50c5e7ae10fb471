//! Finds the files of a model by its name: an embedded model, a folder, or an id on a hub.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::embedded::{FAMILY, Member};
use super::hub::{self, Hub, Need};
use super::tokenizer::TokenizerFiles;
use super::weights::{self, Checkpoint, adapter, foreign};
use crate::disk;
use crate::error::{Error, Result};

/// The files of one model, on disk or in the binary.
pub(super) struct ModelFiles {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) member: Option<&'static Member>,
    /// The folder of an adapter that is merged into the weights.
    pub(super) adapter: Option<PathBuf>,
}

impl ModelFiles {
    pub(super) fn open(name: &str, hub: &Hub, need: Need) -> Result<Self> {
        let id = find(name, hub)?;
        let member = FAMILY.iter().find(|member| member.name == name);
        if member.is_some() {
            return Ok(Self { id, folder: name.into(), member, adapter: None });
        }
        let folder = if hub::is_id(name) { hub.folder(name, need)? } else { name.into() };
        let names = names(&folder);
        let has = |name: &str| names.iter().any(|other| other == name);
        let has_weights = weights::PUBLISHED.into_iter().any(has) || has_gguf(&names);
        let fault = |file: &str, reason: String| Error::Config { path: folder.join(file), reason };
        match (has_weights, has(adapter::CONFIG), hub.base()) {
            (true, is_adapted, None) => {
                let adapter = is_adapted.then(|| folder.clone());
                Ok(Self { id, folder, member, adapter })
            }
            (true, _, Some(_)) => {
                let reason = format!(
                    "is for an adapter without weights beside it, and {name} has its own; leave it out"
                );
                Err(Error::Parameter { name: "--base", reason })
            }
            (false, true, Some(base)) => {
                let base = Self::open(base, &hub.without_base(), need)?;
                if base.adapter.is_some() {
                    let reason =
                        "is for a model without adapter, and this one has its own: only one is merged";
                    return Err(Error::Parameter { name: "--base", reason: reason.into() });
                }
                Ok(Self { id, adapter: Some(folder), ..base })
            }
            (false, true, None) => {
                let config = std::fs::read(folder.join(adapter::CONFIG)).unwrap_or_default();
                let base = adapter::base_of(&config);
                let named = base.as_deref().unwrap_or("a model that it does not name");
                let flag = base.as_deref().unwrap_or("MODEL");
                Err(fault(
                    adapter::CONFIG,
                    format!(
                        "is an adapter of {named}, whose weights are not beside it; name them with --base \
                         {flag} (a folder, an id on a hub, or an embedded model)"
                    ),
                ))
            }
            (false, false, _) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                match foreign::reason(&names) {
                    Some(reason) => Err(fault("", reason)),
                    None => Ok(Self { id, folder, member, adapter: None }),
                }
            }
        }
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
            _ => {
                // The tokenizer of an adapter goes before that of its base.
                let own = self.adapter.as_ref().map(|folder| folder.join(file));
                let path = own
                    .filter(|own| file != "config.json" && own.is_file())
                    .unwrap_or_else(|| self.path(file));
                disk::is_regular(&path)
                    .and_then(|()| std::fs::read(&path))
                    .map(Cow::Owned)
                    .map_err(|source| Error::Read { path, source })
            }
        }
    }
}

impl TokenizerFiles for ModelFiles {
    fn path(&self, file: &str) -> PathBuf {
        self.path(file)
    }

    fn read(&self, file: &str) -> Result<Option<Cow<'static, [u8]>>> {
        match self.read(file) {
            Err(Error::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }
}

/// The names in a folder, and those in the folders in it; none if it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let list = |folder: &Path| -> Vec<(String, bool)> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let entry = |entry: std::fs::DirEntry| {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            (entry.file_name().to_string_lossy().into_owned(), is_folder)
        };
        entries.map(entry).collect()
    };
    let mut names = vec![];
    for (name, is_folder) in list(folder) {
        if is_folder {
            let below = list(&folder.join(&name)).into_iter();
            names.extend(below.map(|(file, _)| format!("{name}/{file}")));
        }
        names.push(name);
    }
    names.sort_unstable();
    names
}

fn has_gguf(names: &[String]) -> bool {
    names.iter().any(|name| !name.contains('/') && name.to_ascii_lowercase().ends_with(".gguf"))
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
    // Links that lead in circles, and what may not be looked at.
    if let (Ok(_), Err(source)) = (std::fs::symlink_metadata(folder), std::fs::metadata(folder)) {
        return Err(Error::Read { path: folder.into(), source });
    }
    let known: Vec<_> = FAMILY.iter().map(|member| member.name).collect();
    let hint = format!(
        "it is no folder, and embedded are {}; give a folder with config.json, tokenizer.json and \
         weights, or owner/name on a hub",
        known.join(", ")
    );
    Err(Error::Unknown { kind: "model", name: name.into(), hint })
}
