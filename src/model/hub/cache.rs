//! The cache on disk, shared with the Python tools:
//!
//! ```text
//! models--owner--name/blobs/<etag>                the bytes
//! models--owner--name/blobs/<etag>.incomplete     the bytes so far
//! models--owner--name/snapshots/<commit>/<file>   a relative link to a blob
//! models--owner--name/refs/<revision>             the commit a branch or tag was at when it was last fetched
//! .locks/models--owner--name/<etag>.lock          held by whoever fetches the blob
//! ```

use std::path::{Path, PathBuf};

use super::files;

/// The part of a cache that belongs to one repository.
pub(super) struct Cache {
    folder: PathBuf,
    #[cfg_attr(not(feature = "hub"), expect(dead_code, reason = "only a download locks"))]
    locks: PathBuf,
}

/// Whether a text is a full commit.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Cache {
    pub(super) fn new(root: &Path, repository: &str) -> Self {
        let name = format!("models--{}", repository.replace('/', "--"));
        Self { folder: root.join(&name), locks: root.join(".locks").join(&name) }
    }

    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    /// The folder of a revision as it is here, or what is missing for it to be a model.
    pub(super) fn folder(&self, revision: &str) -> Result<PathBuf, String> {
        let commit = if is_commit(revision) {
            revision.to_owned()
        } else {
            let text = std::fs::read_to_string(self.folder.join("refs").join(revision)).unwrap_or_default();
            Some(text.trim().to_owned()).filter(|t| is_commit(t)).ok_or("this revision was never fetched")?
        };
        let folder = self.snapshot(&commit);
        let has = |file: &str| folder.join(file).is_file();
        for file in [files::CONFIG, files::TOKENIZER] {
            if !has(file) {
                return Err(format!("{file} is missing"));
            }
        }
        let weights = files::weights(&has, &[]).map_err(|_| "the weights are missing")?;
        if weights.ends_with(".index.json") {
            let index = std::fs::read(folder.join(weights)).unwrap_or_default();
            for shard in files::shards(&index).map_err(|fault| format!("{weights} {fault}"))? {
                if !has(&shard) {
                    return Err(format!("{shard} is missing"));
                }
            }
        }
        Ok(folder)
    }
}

#[cfg(feature = "hub")]
mod writing {
    use std::fs::{File, OpenOptions, TryLockError};
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use super::Cache;
    use crate::disk;
    use crate::error::{Error, Result};

    /// How often a lock that another process holds is tried again.
    const LOOK_AGAIN: Duration = Duration::from_millis(100);

    fn fault(path: &Path) -> impl Fn(std::io::Error) -> Error {
        move |source| Error::Cache { path: path.into(), source }
    }

    fn parent_of(path: &Path) -> Result<()> {
        path.parent().map_or(Ok(()), |folder| std::fs::create_dir_all(folder).map_err(fault(folder)))
    }

    impl Cache {
        pub(in super::super) fn blob(&self, etag: &str) -> PathBuf {
            self.folder.join("blobs").join(etag)
        }

        /// Notes where a branch or tag is.
        pub(in super::super) fn set_ref(&self, revision: &str, commit: &str) -> Result<()> {
            let path = self.folder.join("refs").join(revision);
            parent_of(&path)?;
            disk::write(&path, commit.as_bytes())
        }

        /// Opens a blob's bytes so far, to be read and appended to.
        pub(in super::super) fn open_partial(&self, etag: &str) -> Result<(PathBuf, File)> {
            let path = self.blob(&format!("{etag}.incomplete"));
            parent_of(&path)?;
            let file =
                OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(fault(&path))?;
            Ok((path, file))
        }

        /// Waits until no other process fetches this blob. The lock goes with the file that is returned, and
        /// with the process. Whoever holds it while nothing is written for `patience` hangs.
        pub(in super::super) fn lock(&self, etag: &str, patience: Duration) -> Result<File> {
            let path = self.locks.join(format!("{etag}.lock"));
            parent_of(&path)?;
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(fault(&path))?;
            let written = || self.blob(&format!("{etag}.incomplete")).metadata().map_or(0, |data| data.len());
            let (mut seen_bytes, mut since) = (written(), Instant::now());
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(file),
                    Err(TryLockError::Error(source)) => return Err(fault(&path)(source)),
                    Err(TryLockError::WouldBlock) if written() != seen_bytes => {
                        (seen_bytes, since) = (written(), Instant::now());
                    }
                    Err(TryLockError::WouldBlock) if since.elapsed() > patience => {
                        let source = std::io::Error::other(
                            "another process holds this lock and fetches nothing; end it",
                        );
                        return Err(fault(&path)(source));
                    }
                    Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN),
                }
            }
        }

        /// Puts a blob into a snapshot under a file's name: a relative link, or a copy where the system has
        /// no links.
        pub(in super::super) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<()> {
            let path = self.snapshot(commit).join(file);
            parent_of(&path)?;
            // Made beside its place and renamed: another process may do the same at the same time.
            let partial = path.with_file_name(format!(".surmise-{}-{etag}", std::process::id()));
            std::fs::remove_file(&partial).unwrap_or_default();
            #[cfg(unix)]
            {
                let up = "../".repeat(2 + file.matches('/').count());
                std::os::unix::fs::symlink(format!("{up}blobs/{etag}"), &partial).map_err(fault(&partial))?;
            }
            #[cfg(not(unix))]
            std::fs::hard_link(self.blob(etag), &partial)
                .or_else(|_| std::fs::copy(self.blob(etag), &partial).map(drop))
                .map_err(fault(&partial))?;
            std::fs::rename(&partial, &path).map_err(fault(&path))
        }
    }
}
