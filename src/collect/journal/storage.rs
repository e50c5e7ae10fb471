//! Handles the files of a journal's folder: checks the free space, makes files durable, and finds unused file
//! names.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::disk;
use crate::error::{Error, Result};

/// Free space in bytes that a folder must have before a question is asked.
const LEAST_FREE_BYTES: usize = 4 << 20;

/// Turns a write error into a storage error, which has its own exit code.
pub fn as_storage(error: Error) -> Error {
    match error {
        Error::Write { path, source } => Error::Storage { path, source },
        other => other,
    }
}

/// Opens a file for reading and writing, and creates it if it does not exist.
///
/// # Errors
/// [`Error::Storage`] if the file cannot be opened, or is a symbolic link.
pub(super) fn open_or_create(path: &Path) -> Result<File> {
    let file = disk::open_own(path, OpenOptions::new().create(true).truncate(false).read(true).write(true));
    file.map_err(|source| Error::Storage { path: path.into(), source })
}

/// Checks that there is space for the first answers, before a request is billed.
pub(super) fn check_free_space(folder: &Path) -> Result<()> {
    let fill = || {
        let mut file = tempfile::tempfile_in(folder)?;
        file.write_all(&vec![0; LEAST_FREE_BYTES])?;
        file.sync_data()
    };
    fill().map_err(|source| Error::Storage { path: folder.into(), source })
}

/// Copies a file's bytes from `offset` on into a new file, and returns the path of the new file.
pub(super) fn quarantine(folder: &Path, stem: &str, mut from: &File, offset: u64) -> Result<PathBuf> {
    let (mut aside, path) = create_next(folder, stem)?;
    let fault = |source| Error::Storage { path: path.clone(), source };
    from.seek(SeekFrom::Start(offset)).map_err(fault)?;
    std::io::copy(&mut from, &mut aside).and_then(|_| aside.sync_all()).map_err(fault)?;
    Ok(path)
}

/// Creates a file `stem-N` with the smallest unused `N`.
pub(super) fn create_next(folder: &Path, stem: &str) -> Result<(File, PathBuf)> {
    let mut n = 1_u64;
    loop {
        let path = folder.join(format!("{stem}-{n}"));
        match OpenOptions::new().create_new(true).write(true).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            Err(source) => return Err(Error::Storage { path, source }),
        }
    }
}

/// Syncs a folder, which makes new file names in it durable.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::Storage { path: folder.into(), source })?;
    Ok(())
}
