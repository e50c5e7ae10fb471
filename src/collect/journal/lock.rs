//! Allows one process per folder, with an advisory lock that the system releases when the process ends. The
//! lock file names the process that holds it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::record;
use super::storage::open_or_create;
use crate::error::{Error, Result};
use crate::machine;

/// The lock of a folder. A process keeps it while it collects into that folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the folder. A file system without locks causes an error, unless `is_claimed` states that the
    /// caller excludes other processes by other means.
    ///
    /// # Errors
    /// [`Error::InUse`] that names the process with the lock; [`Error::Storage`] if the lock file cannot be
    /// locked or written.
    pub fn take(folder: &Path, is_claimed: bool) -> Result<Self> {
        let path = folder.join("journal.lock");
        let fault = |source| Error::Storage { path: path.clone(), source };
        let mut file = open_or_create(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(_)) if is_claimed => {}
            Err(TryLockError::Error(source)) => return Err(fault(source)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).unwrap_or_default();
                let holder = holder.lines().next().unwrap_or("another process").to_owned();
                return Err(Error::InUse { path: folder.into(), holder });
            }
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(fault)?;
        writeln!(file, "process {} on {} since {}", std::process::id(), machine::name(), record::now())
            .map_err(fault)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_learns_the_holder_and_the_lock_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path(), false).unwrap();
        let error = Lock::take(folder.path(), false).unwrap_err();
        assert!(matches!(error, Error::InUse { .. }));
        assert!(error.to_string().contains(&format!("process {} on ", std::process::id())), "{error}");
        drop(first);
        assert!(Lock::take(folder.path(), false).is_ok());
    }
}
