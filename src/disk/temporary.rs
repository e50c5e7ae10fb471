//! Keeps a list of temporary files and removes them when the process exits early. The list is needed because
//! destructors do not run when a signal ends the process.

use std::collections::BTreeSet;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{NamedTempFile, TempDir};

/// Prefix of the names of temporary files.
const PREFIX: &str = ".surmise-";

/// The temporary files and folders that exist now.
static THERE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn there() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    THERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a file with this name is a temporary file of surmise.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Removes all temporary files and ends the process at once. The lock prevents the creation of new temporary
/// files until the process ends.
pub fn exit(code: i32) -> ! {
    let there = there();
    for path in there.iter() {
        // Ignore files that no longer exist or cannot be removed; the process must end anyway.
        let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
        removed.unwrap_or_default();
    }
    std::process::exit(code)
}

/// The entry of a file or folder in the list. Dropping it removes the entry.
#[derive(Debug)]
struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        there().remove(&self.0);
    }
}

/// A temporary file. It is removed when dropped, and when the process ends through [`exit`].
#[derive(Debug)]
pub(super) struct TemporaryFile {
    file: NamedTempFile,
    listed: Listed,
}

impl TemporaryFile {
    pub(super) fn begin(folder: &Path) -> Result<Self> {
        // Hold the lock until the file is in the list, so that [`exit`] cannot miss the file.
        let mut there = there();
        let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder)?;
        there.insert(file.path().into());
        let listed = Listed(file.path().into());
        Ok(Self { file, listed })
    }

    pub(super) fn file(&self) -> &std::fs::File {
        self.file.as_file()
    }

    pub(super) fn file_mut(&mut self) -> &mut std::fs::File {
        self.file.as_file_mut()
    }

    /// Renames the file to its final path.
    pub(super) fn persist(self, path: &Path) -> Result<()> {
        let Self { file, listed } = self;
        file.persist(path).map_err(|error| error.error)?;
        drop(listed);
        Ok(())
    }
}

/// A temporary folder. It is removed when dropped, and when the process ends through [`exit`].
#[derive(Debug)]
pub struct TemporaryFolder {
    // Fields drop in order: the folder is removed before its entry in the list.
    folder: TempDir,
    _listed: Listed,
}

impl TemporaryFolder {
    /// Creates a folder in the temporary directory of the system.
    ///
    /// # Errors
    /// An error if the folder cannot be created.
    pub fn begin() -> Result<Self> {
        let mut there = there();
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        there.insert(folder.path().into());
        let listed = Listed(folder.path().into());
        Ok(Self { folder, _listed: listed })
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_file_is_listed_as_long_as_it_is_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = TemporaryFile::begin(folder.path()).expect("a file");
        let path = file.file.path().to_owned();
        assert!(is_temporary(&path.file_name().expect("a name").to_string_lossy()));
        assert!(path.is_file() && there().contains(&path));
        drop(file);
        assert!(!path.exists() && !there().contains(&path));
        let file = TemporaryFile::begin(folder.path()).expect("a file");
        let path = file.file.path().to_owned();
        file.persist(&folder.path().join("named")).expect("a name");
        assert!(!there().contains(&path) && folder.path().join("named").is_file());
    }
}
