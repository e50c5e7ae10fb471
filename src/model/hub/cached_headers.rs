//! Stores the headers that `surmise model ID` reads without downloading the model, so that it can describe
//! the model again when the hub is unreachable. The files are in the cache folder of the Python tools:
//!
//! ```text
//! .surmise/models--owner--name/<revision>.json           commit and headers of the last request
//! .surmise/models--owner--name/<revision>--<file>.json   the same for one GGUF file
//! ```

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::cache::{self, Cache};
use super::id::Id;
use super::layout;
use super::settings::HubSettings;
use crate::disk;
use crate::model::weights::FileHeader;

/// The headers of the weight files of one revision.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CachedHeaders {
    pub(super) commit: String,
    files: Vec<CachedFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CachedFile {
    name: String,
    len: u64,
    sha256: Option<String>,
    base64: String,
}

impl CachedHeaders {
    fn path(settings: &HubSettings, id: &Id) -> PathBuf {
        let name = format!("models--{}", disk::id_in_file_names(&id.repository));
        let revision = disk::id_in_file_names(&id.revision);
        let file = id.file.as_deref().map(|file| format!("--{}", disk::id_in_file_names(file)));
        let file = file.unwrap_or_default();
        settings.cache.join(".surmise").join(name).join(format!("{revision}{file}.json"))
    }

    /// The stored headers of an id; `None` if they or the config are missing or invalid.
    pub(super) fn read(settings: &HubSettings, id: &Id) -> Option<Self> {
        let kept: Self = serde_json::from_slice(&disk::read(Self::path(settings, id)).ok()?).ok()?;
        let config = Cache::new(&settings.cache, &id.repository).snapshot(&kept.commit).join(layout::CONFIG);
        let has_config = id.file.is_some() || config.is_file();
        (cache::is_commit(&kept.commit) && has_config).then_some(kept)
    }

    /// Stores headers. Ignores write errors, because headers can be requested again.
    pub(super) fn write(settings: &HubSettings, id: &Id, commit: &str, headers: &[FileHeader]) {
        let file = |header: &FileHeader| CachedFile {
            name: header.name.clone(),
            len: header.len,
            sha256: header.sha256.clone(),
            base64: STANDARD.encode(&header.bytes),
        };
        let kept = Self { commit: commit.to_owned(), files: headers.iter().map(file).collect() };
        let path = Self::path(settings, id);
        let folder_is_there = path.parent().is_some_and(|folder| std::fs::create_dir_all(folder).is_ok());
        if folder_is_there {
            disk::write_json(&path, &kept).unwrap_or_default();
        }
    }

    /// The folder that contains the config, and the headers; `None` if the stored headers are damaged.
    pub(super) fn open(self, settings: &HubSettings, id: &Id) -> Option<(PathBuf, Vec<FileHeader>)> {
        let header = |file: CachedFile| {
            let bytes = STANDARD.decode(file.base64).ok()?;
            Some(FileHeader { name: file.name, bytes, len: file.len, sha256: file.sha256 })
        };
        let headers = self.files.into_iter().map(header).collect::<Option<_>>()?;
        Some((Cache::new(&settings.cache, &id.repository).snapshot(&self.commit), headers))
    }
}
