//! Finds the files of a model by its name, which is an embedded model, a folder, a GGUF file, or an id on a
//! hub.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::arch;
use super::embedded::{Member, NOT_IN_PACKAGE, embedded};
use super::hub::{self, Hub, RequiredFiles};
use super::missing;
use super::tokenizer::{self, TokenizerFiles};
use super::weights::gguf::{self, Gguf};
use super::weights::{self, Checkpoint, adapter, foreign};
use crate::disk;
use crate::error::{Error, Result};
use crate::names;

const CONFIG: &str = "config.json";
/// Maximum size in bytes of a config and of a tokenizer file. Published files have up to 33 MB.
const LARGEST: u64 = 64 << 20;
/// Maximum numbers of `{` and of `[` in a JSON file, which limit the memory of the parsed file: an object
/// takes about 700 bytes, and a list about 160. Published files have up to some ten thousand objects and half
/// a million lists.
const MOST_OBJECTS: usize = 1_000_000;
const MOST_LISTS: usize = 5_000_000;

/// The files of one model, on disk or in the binary.
pub(super) struct ModelFiles {
    pub(super) id: String,
    pub(super) folder: PathBuf,
    pub(super) member: Option<&'static Member>,
    /// The folder of an adapter to merge into the weights.
    pub(super) adapter: Option<PathBuf>,
    /// The GGUF file, if the model is stored in this format.
    pub(super) gguf: Option<Gguf>,
}

impl ModelFiles {
    pub(super) fn open(name: &str, hub: &Hub, required: RequiredFiles) -> Result<Self> {
        let id = find(name, hub)?;
        let member = embedded_member(name);
        if member.is_some() {
            return Ok(Self { folder: id.clone().into(), id, member, adapter: None, gguf: None });
        }
        let found = if hub::is_id(name) { hub.folder(name, required)? } else { name.into() };
        let (folder, file) = match (found.is_file(), found.parent()) {
            (true, Some(folder)) => (folder.to_owned(), Some(found.clone())),
            _ => (found, None),
        };
        let names = file_names(&folder);
        let has = |name: &str| names.iter().any(|other| other == name);
        let is_published = file.is_none() && weights::PUBLISHED.into_iter().any(has);
        let file = match (is_published, file) {
            (false, None) => {
                let chosen = gguf::choose(&names).map_err(|reason| fault_of(&folder, "", reason))?;
                chosen.map(|name| folder.join(name))
            }
            (_, file) => file,
        };
        if let Some(file) = file {
            if has(adapter::CONFIG) {
                let reason = "is next to a GGUF file, but surmise merges a LoRA only into weights that are \
                              not quantised; to measure the GGUF file without the LoRA, move this file to \
                              another folder; to measure the merged model, merge the LoRA into the model's \
                              safetensors";
                return Err(fault_of(&folder, adapter::CONFIG, reason.into()));
            }
            if hub.base().is_some() {
                return Err(base_unused(name));
            }
            let gguf = Some(Gguf::open(&file)?);
            return Ok(Self { id, folder, member, adapter: None, gguf });
        }
        let has_weights = is_published;
        let fault = |file: &str, reason: String| fault_of(&folder, file, reason);
        match (has_weights, has(adapter::CONFIG), hub.base()) {
            (true, is_adapted, None) => {
                let adapter = is_adapted.then(|| folder.clone());
                Ok(Self { id, folder, member, adapter, gguf: None })
            }
            (true, _, Some(_)) => Err(base_unused(name)),
            (false, true, Some(base)) => {
                let base = Self::open(base, &hub.without_base(), required)?;
                if base.gguf.is_some() {
                    let reason = "is a GGUF file, but surmise merges a LoRA only into weights that are not \
                                  quantised; give the model in safetensors format";
                    return Err(Error::Parameter { name: "--base", reason: reason.into() });
                }
                if base.adapter.is_some() {
                    let reason = "names a model that itself has an adapter, but surmise merges only one \
                                  adapter; name a model without an adapter";
                    return Err(Error::Parameter { name: "--base", reason: reason.into() });
                }
                Ok(Self { id, adapter: Some(folder), ..base })
            }
            (false, true, None) => {
                let config = disk::read(folder.join(adapter::CONFIG)).unwrap_or_default();
                let base = adapter::base_of(&config);
                let mut why = String::new();
                // The base model is opened only if the adapter's config contains its id on a hub. If the
                // config contains a path, the path may refer to the machine that trained the adapter.
                if let Some(base) = base.as_deref().filter(|base| hub::is_id(base)) {
                    match Self::open(base, &hub.without_base(), required) {
                        Ok(found) if found.gguf.is_none() && found.adapter.is_none() => {
                            hub.note(&format!(
                                "{id}: this is an adapter of {base}, which is used as the base model; \
                                 use --base to choose another base model"
                            ));
                            return Ok(Self { id, adapter: Some(folder), ..found });
                        }
                        Ok(_) => {}
                        Err(error) => why = format!(" ({error})"),
                    }
                }
                let named = base.as_deref().unwrap_or("an unnamed model");
                let flag = base.as_deref().unwrap_or("MODEL");
                Err(fault(
                    adapter::CONFIG,
                    format!(
                        "is an adapter of {named}, whose weights are not in the folder{why}; name the base \
                         model with --base {flag} (a folder, an id on a hub, or an embedded model)"
                    ),
                ))
            }
            (false, false, _) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                match foreign::reason(&names) {
                    Some(reason) => Err(fault("", reason)),
                    None => Ok(Self { id, folder, member, adapter: None, gguf: None }),
                }
            }
        }
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        match &self.gguf {
            Some(gguf) if file == CONFIG => gguf.path().into(),
            _ => self.folder.join(file),
        }
    }

    /// The weight file, or the index of several weight files.
    pub(super) fn weights(&self) -> Result<PathBuf> {
        match (self.member, &self.gguf) {
            (Some(_), _) => Ok(self.path("model.safetensors")),
            (None, Some(gguf)) => Ok(gguf.path().into()),
            (None, None) => Checkpoint::find(&self.folder),
        }
    }

    /// The bytes of a file other than the weights.
    pub(super) fn read(&self, file: &str) -> Result<Cow<'static, [u8]>> {
        if let Some(gguf) = &self.gguf {
            let made = match file {
                CONFIG => Some(arch::gguf::config(gguf)?),
                "tokenizer_config.json" => Some(tokenizer::gguf_settings(gguf)?),
                _ => None,
            };
            return match made {
                Some(made) => Ok(Cow::Owned(made.to_string().into_bytes())),
                // The only other file that can belong to the GGUF file is a tokenizer in the same folder.
                None if file == "tokenizer.json" => Self::on_disk(self.path(file)),
                None => Err(Error::Read { path: self.path(file), source: ErrorKind::NotFound.into() }),
            };
        }
        match (self.member, file) {
            (Some(member), CONFIG) => Ok(Cow::Borrowed(member.config)),
            (Some(member), "tokenizer.json") => Ok(Cow::Borrowed(member.tokenizer)),
            _ => {
                // A tokenizer file in the adapter's folder takes precedence over the file of the base model.
                let own = self.adapter.as_ref().map(|folder| folder.join(file));
                let path =
                    own.filter(|own| file != CONFIG && own.is_file()).unwrap_or_else(|| self.path(file));
                Self::on_disk(path)
            }
        }
    }

    fn on_disk(path: PathBuf) -> Result<Cow<'static, [u8]>> {
        let read = disk::read_within(LARGEST, &path).and_then(|bytes| {
            let has_more = |letter: u8, most: usize| bytes.iter().filter(|b| **b == letter).count() > most;
            let is_json = path.extension().is_some_and(|name| name == "json");
            if is_json && (has_more(b'{', MOST_OBJECTS) || has_more(b'[', MOST_LISTS)) {
                let reason = format!("it has more than {MOST_OBJECTS} objects or {MOST_LISTS} lists");
                return Err(std::io::Error::new(ErrorKind::InvalidData, reason));
            }
            Ok(bytes)
        });
        read.map(Cow::Owned).map_err(|source| Error::Read { path, source })
    }
}

impl TokenizerFiles for ModelFiles {
    fn path(&self, file: &str) -> PathBuf {
        self.path(file)
    }

    fn read(&self, file: &str) -> Result<Option<Cow<'static, [u8]>>> {
        match self.read(file) {
            Err(Error::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    fn gguf(&self) -> Option<&Gguf> {
        self.gguf.as_ref()
    }
}

/// The names of the entries of a folder and of its direct subfolders; empty if the folder cannot be read.
fn file_names(folder: &Path) -> Vec<String> {
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

/// The error for a base model that is not needed.
fn base_unused(name: &str) -> Error {
    let reason = format!(
        "is only for a folder or id with an adapter and no model weights, but {name} contains model weights; \
         omit --base"
    );
    Error::Parameter { name: "--base", reason }
}

fn fault_of(folder: &Path, file: &str, reason: String) -> Error {
    Error::Config { path: folder.join(file), reason }
}

/// The id of the model that a name refers to. This function reads and downloads no file.
///
/// # Errors
/// [`Error::Unknown`] if the name is not an embedded model, a folder, a GGUF file, or an id on a hub.
pub(super) fn find(name: &str, hub: &Hub) -> Result<String> {
    if let Some(member) = embedded_member(name) {
        return Ok(member.name.into());
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
    if folder.is_file() && gguf::is_gguf(name) {
        let file = folder.file_name().unwrap_or_default().to_string_lossy();
        let stem = folder.file_stem().unwrap_or_default().to_string_lossy();
        return Ok(gguf::PartName::parse(&file).map_or(stem.into_owned(), |part| part.prefix.to_owned()));
    }
    if folder.is_file() {
        let hint = "it is a file but not a GGUF file; give a folder with config.json, tokenizer.json and \
                    weights, or a GGUF file"
            .into();
        return Err(Error::Unknown { kind: "model", name: name.into(), hint });
    }
    // The path exists but cannot be followed, for example a circular link or a path without permission.
    if let (Ok(_), Err(source)) = (std::fs::symlink_metadata(folder), std::fs::metadata(folder)) {
        return Err(Error::Read { path: folder.into(), source });
    }
    if NOT_IN_PACKAGE.contains(&name) {
        let hint = "the package of the Rust registry does not contain this model because of its size; use \
                    the Python wheel or a build from the repository, or use minigpt-6 or minillama-6";
        return Err(Error::Unknown { kind: "model", name: name.into(), hint: hint.into() });
    }
    Err(Error::Unknown { kind: "model", name: name.into(), hint: missing::hint(name) })
}

/// The embedded model with this name. If the name differs in case, a folder or file with the given name takes
/// precedence.
fn embedded_member(name: &str) -> Option<&'static Member> {
    let found = names::find(name, embedded(), |member| member.name)?;
    (found.name == name || std::fs::symlink_metadata(name).is_err()).then_some(found)
}
