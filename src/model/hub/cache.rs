//! Reads the cache on disk, which surmise shares with the Python tools of Hugging Face. Its layout:
//!
//! ```text
//! models--owner--name/blobs/<etag>                a complete file
//! models--owner--name/blobs/<etag>.incomplete     an incomplete download
//! models--owner--name/snapshots/<commit>/<file>   a relative link to a blob
//! models--owner--name/refs/<revision>             the commit of a branch or tag at its last download
//! .locks/models--owner--name/<etag>.lock          locked by the process that downloads the blob
//! ```

use std::path::{Path, PathBuf};

use super::id::Id;
use super::layout;
use crate::disk;
use crate::model::weights::adapter;

/// The part of the cache that belongs to one repository.
pub(super) struct Cache {
    pub(super) folder: PathBuf,
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download locks"))]
    pub(super) locks: PathBuf,
}

/// Whether a string is a full commit hash.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Cache {
    pub(super) fn new(root: &Path, repository: &str) -> Self {
        let name = format!("models--{}", disk::id_in_file_names(repository));
        Self { folder: root.join(&name), locks: root.join(".locks").join(&name) }
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The commit that a revision had at its last download.
    pub(super) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_owned());
        }
        let text = disk::read_text(self.folder.join("refs").join(revision)).unwrap_or_default();
        Some(text.trim().to_owned()).filter(|text| is_commit(text))
    }

    /// Path of the cached folder or file of an id. The error is a sentence that names the missing part.
    pub(super) fn find(&self, id: &Id) -> Result<PathBuf, String> {
        let commit = self.commit(&id.revision).ok_or("this revision is missing")?;
        let folder = self.snapshot(&commit);
        if let Some(file) = &id.file {
            let missing = layout::parts(file).into_iter().find(|part| !folder.join(part).is_file());
            return missing.map_or_else(|| Ok(folder.join(file)), |part| Err(format!("{part} is missing")));
        }
        let has = |file: &str| folder.join(file).is_file();
        if has(adapter::CONFIG) && layout::adapter_weights(&has).is_none() {
            return Err("the weights of the adapter are missing".into());
        }
        let Some(weights) = layout::weights(&has, &[]).map_err(|_| "the weights are missing")? else {
            return Ok(folder);
        };
        if weights.ends_with(".index.json") {
            let index = disk::read(folder.join(weights)).unwrap_or_default();
            for shard in layout::shards(&index).map_err(|fault| format!("{weights} {fault}"))? {
                if !has(&shard) {
                    return Err(format!("{shard} is missing"));
                }
            }
        }
        Ok(folder)
    }
}
