//! Writes downloads to the cache: blobs, locks, links and refs.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cache::Cache;
use crate::disk;
use crate::error::{Error, Result};

/// Interval between attempts to acquire a lock that another process holds.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

fn fault(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Cache { path: path.into(), source }
}

fn parent_of(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |folder| std::fs::create_dir_all(folder).map_err(fault(folder)))
}

impl Cache {
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder.join("blobs").join(etag)
    }

    /// Records the commit of a branch or tag.
    pub(super) fn set_ref(&self, revision: &str, commit: &str) -> Result<()> {
        let path = self.folder.join("refs").join(revision);
        parent_of(&path)?;
        disk::write(&path, commit.as_bytes())
    }

    /// Opens the incomplete download of a blob for reading and appending.
    pub(super) fn open_partial(&self, etag: &str) -> Result<(PathBuf, File)> {
        let path = self.blob(&format!("{etag}.incomplete"));
        parent_of(&path)?;
        let file = disk::open_own(&path, OpenOptions::new().create(true).read(true).append(true));
        let file = file.map_err(fault(&path))?;
        Ok((path, file))
    }

    /// Waits until no other process downloads this blob. The lock ends when the returned file is dropped or
    /// the process ends. If the other process writes nothing for `stall_timeout`, it counts as stalled, and
    /// this function returns an error.
    pub(super) fn lock(&self, etag: &str, stall_timeout: Duration) -> Result<File> {
        let path = self.locks.join(format!("{etag}.lock"));
        parent_of(&path)?;
        let file = disk::open_own(&path, OpenOptions::new().create(true).truncate(false).write(true));
        let file = file.map_err(fault(&path))?;
        let written = || self.blob(&format!("{etag}.incomplete")).metadata().map_or(0, |data| data.len());
        let (mut seen_bytes, mut since) = (written(), Instant::now());
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(source)) => return Err(fault(&path)(source)),
                Err(TryLockError::WouldBlock) if written() != seen_bytes => {
                    (seen_bytes, since) = (written(), Instant::now());
                }
                Err(TryLockError::WouldBlock) if since.elapsed() > stall_timeout => {
                    let source = std::io::Error::other(
                        "another process holds the lock but makes no progress; end that process",
                    );
                    return Err(fault(&path)(source));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(POLL_INTERVAL),
            }
        }
    }

    /// Adds a blob to a snapshot under the name of the file. The entry is a relative link on Unix, and a hard
    /// link or a copy on other systems.
    pub(super) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<()> {
        let path = self.snapshot(commit).join(file);
        parent_of(&path)?;
        // The entry is created under a temporary name and then renamed, because another process may create it
        // at the same time.
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
