//! Resolves the names and patterns of models in a study file. Each model gets a hash of all files that
//! surmise reads. Hashing large weights is slow, so the result folder caches the hashes of unchanged files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::file::{Findings, Located, OpenModels, is_pattern};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::model::hub::{self, Hub, RequiredFiles};
use crate::model::{Description, Model, ModelInfo, embedded};
use crate::names;
use crate::seed;

/// A model with available weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyModel {
    /// Source of the model: a folder, a file, a Hugging Face id, or the name of an embedded model.
    pub name: String,
    /// Metadata of the model. The family is taken from the study file.
    pub info: ModelInfo,
    /// SHA-256 of all files that are read: weights, config, tokenizer.
    pub sha256: String,
}

/// A cache of model descriptions, stored in the result folder of a study.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct KnownModels {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Schema>,
    /// Descriptions by model name.
    models: BTreeMap<String, KnownModel>,
}

/// A model description, and the state of the files it was read from.
#[derive(Debug, Serialize, Deserialize)]
struct KnownModel {
    /// Names, lengths and modification times of the files, and the version of surmise.
    stamp: String,
    model: StudyModel,
}

/// Name of the cache file.
const FILE: &str = "models.json";
/// Maximum size in bytes of a non-weight file that is part of the identity of a model. Tokenizers are
/// smaller.
const LARGEST_SMALL_FILE: u64 = 64 << 20;

impl KnownModels {
    /// Reads the cache of a result folder. Returns an empty cache if the file is missing or has another
    /// schema.
    pub fn read(folder: &Path) -> Self {
        let read = disk::read(folder.join(FILE)).ok();
        let known: Option<Self> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        known.filter(|known| known.schema == Some(schema())).unwrap_or_default()
    }

    /// Writes the cache.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub fn write(&mut self, folder: &Path) -> Result<()> {
        self.schema = Some(schema());
        disk::write_json(&folder.join(FILE), self)
    }

    /// Describes a model. Reads its files only if they have changed since they were cached.
    ///
    /// # Errors
    /// Returns the errors of [`Description::of`].
    pub fn describe(&mut self, name: &str, hub: &Hub) -> Result<StudyModel> {
        Model::find(name, hub)?;
        let files = files(name, hub)?;
        let stamp = stamp(&files);
        if let Some(known) = self.models.get(name).filter(|known| known.stamp == stamp) {
            return Ok(known.model.clone());
        }
        let Description { info, .. } = Description::of(name, &[], hub)?;
        let sha256 = identity(&info, &files)?;
        let model = StudyModel { name: name.into(), info, sha256 };
        self.models.insert(name.into(), KnownModel { stamp, model: model.clone() });
        Ok(model)
    }
}

fn schema() -> Schema {
    Schema::new("surmise-study-models", 1)
}

/// The files of a model, sorted. Embedded models have no files.
fn files(name: &str, hub: &Hub) -> Result<Vec<PathBuf>> {
    if names::find(name, embedded(), |member| member.name).is_some() {
        return Ok(vec![]);
    }
    let path = match hub::is_id(name) && !Path::new(name).exists() {
        true => hub.folder(name, RequiredFiles::WeightsAndTokenizer)?,
        false => name.into(),
    };
    if path.is_file() {
        return Ok(vec![path]);
    }
    let fault = |source| Error::Read { path: path.clone(), source };
    let mut files = vec![];
    for entry in std::fs::read_dir(&path).map_err(fault)? {
        let file = entry.map_err(fault)?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn stamp(files: &[PathBuf]) -> String {
    let mut stamp = env!("CARGO_PKG_VERSION").to_owned();
    for file in files {
        let metadata = file.metadata().ok();
        let len = metadata.as_ref().map_or(0, std::fs::Metadata::len);
        let time = metadata.and_then(|of| of.modified().ok()?.duration_since(UNIX_EPOCH).ok());
        let time = time.unwrap_or_default().as_nanos();
        stamp.push_str(&format!(";{} {len} {time}", file.display()));
    }
    stamp
}

/// SHA-256 over the model id, the hash of the weights, and the hashes of the model's other small files.
fn identity(info: &ModelInfo, files: &[PathBuf]) -> Result<String> {
    let mut parts = format!("{} {}", info.id, info.weights_sha256);
    for file in files {
        let is_small = file.metadata().is_ok_and(|metadata| metadata.len() <= LARGEST_SMALL_FILE);
        let extension = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        // `weights_sha256` covers the weights.
        if !is_small || ["safetensors", "bin", "gguf", "pt", "pth"].contains(&extension.as_str()) {
            continue;
        }
        let bytes = disk::read(file).map_err(|source| Error::Read { path: file.clone(), source })?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        parts.push_str(&format!(" {name} {}", seed::sha256_hex(&bytes)));
    }
    Ok(seed::sha256_hex(parts.as_bytes()))
}

/// The open models of a study, without duplicates, in the order of the file. Errors are added to `findings`.
pub(super) fn resolve(
    open: &[OpenModels],
    folder: &Path,
    known: &mut KnownModels,
    hub: &Hub,
    findings: &Findings,
) -> Vec<StudyModel> {
    let mut models: Vec<StudyModel> = vec![];
    for group in open {
        for named in &group.models {
            let is_there = folder.join(&named.value).exists();
            let names = match is_pattern(&named.value) && !is_there {
                true => matches(named, folder),
                false => vec![opened_by(&named.value, folder)],
            };
            if names.is_empty() {
                let reason = format!(
                    "no model matches the pattern `{}`; use a folder or GGUF file (relative to the study \
                     file), a Hugging Face id, or a name from `surmise list models`",
                    named.value
                );
                findings.add(named.line, reason);
            }
            for name in names {
                match known.describe(&name, hub) {
                    Ok(mut model) => {
                        model.info.family = Some(group.family.clone());
                        add(model, named.line, &mut models, findings);
                    }
                    Err(error @ Error::Unknown { .. }) => {
                        findings.add(named.line, format!("{error}; paths are relative to the study file"));
                    }
                    Err(error) => findings.add_error(named.line, &error),
                }
            }
        }
    }
    models
}

/// The source of a model: an embedded name, a path relative to the study file, or a Hugging Face id.
pub(super) fn opened_by(name: &str, folder: &Path) -> String {
    let path = folder.join(name);
    let is_embedded = names::find(name, embedded(), |member| member.name).is_some();
    let is_path = !is_embedded && (path.exists() || hub::is_path(name, folder) && !name.starts_with('~'));
    if is_path { path.to_string_lossy().into_owned() } else { name.to_owned() }
}

/// Adds a model unless it is a duplicate. Different models with the same id or weights are a mistake.
fn add(model: StudyModel, line: usize, models: &mut Vec<StudyModel>, findings: &Findings) {
    if let Some(same) = models.iter().find(|other| other.sha256 == model.sha256) {
        if same.info.family != model.info.family {
            findings.add(line, format!("{} is listed in two families; list it in one", model.info.id));
        }
        return;
    }
    let folder = |model: &StudyModel| disk::id_in_file_names(&model.info.id);
    if let Some(same) = models.iter().find(|other| folder(other) == folder(&model)) {
        let reason = format!(
            "{} and {} would share the folder name {}; rename one of them",
            same.name,
            model.name,
            folder(&model)
        );
        findings.add(line, reason);
        return;
    }
    let weights = &model.info.weights_sha256;
    if let Some(same) = models.iter().find(|other| other.info.weights_sha256 == *weights) {
        let reason = format!(
            "{} and {} have the same weights and would count twice; leave one out",
            same.info.id, model.info.id
        );
        findings.add(line, reason);
        return;
    }
    models.push(model);
}

/// The models that match a pattern: embedded models if any match, otherwise files and folders.
fn matches(pattern: &Located<String>, folder: &Path) -> Vec<String> {
    let Ok(matcher) = glob::Pattern::new(&pattern.value) else { return vec![] };
    let mut names: Vec<String> = embedded()
        .filter(|member| matcher.matches(member.name))
        .map(|member| member.name.to_owned())
        .collect();
    if !names.is_empty() {
        return names;
    }
    let within = glob::Pattern::escape(&folder.to_string_lossy());
    let path = Path::new(&within).join(&pattern.value);
    let found = glob::glob(&path.to_string_lossy()).into_iter().flatten().filter_map(std::result::Result::ok);
    let is_model = |path: &PathBuf| match path.is_dir() {
        true => path.join("config.json").is_file() || holds_gguf(path),
        false => is_gguf(path),
    };
    names.extend(found.filter(is_model).map(|path| path.to_string_lossy().into_owned()));
    names
}

/// Whether a folder contains a GGUF file.
pub(super) fn holds_gguf(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| is_gguf(&path))
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}
