//! Reads the bytes of a file at any position. The file is on disk, compiled into the binary, or a remote file
//! of which only the beginning is known.

use std::borrow::Cow;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::header::FileHeader;
use crate::disk;
use crate::error::{Error, Result};
use crate::seed;

/// Number of bytes per read.
pub(super) const PIECE: usize = 1 << 20;

/// A file that can be read at any position.
#[derive(Debug)]
pub(super) struct Bytes {
    path: PathBuf,
    len: u64,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    Memory(Cow<'static, [u8]>),
    /// A file on disk, and the modification time that it had when it was opened.
    Disk(File, Option<SystemTime>),
    /// The beginning of a remote file, and the SHA-256 of the whole file.
    Header(Vec<u8>, Option<String>),
}

impl Bytes {
    /// Opens a file on disk.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be opened.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let fault = |source| Error::Read { path: path.into(), source };
        let file = disk::open(path).map_err(fault)?;
        let metadata = file.metadata().map_err(fault)?;
        let storage = Storage::Disk(file, metadata.modified().ok());
        Ok(Self { path: path.into(), len: metadata.len(), storage })
    }

    pub(super) fn in_memory(path: &Path, bytes: Cow<'static, [u8]>) -> Self {
        Self { path: path.into(), len: bytes.len() as u64, storage: Storage::Memory(bytes) }
    }

    pub(super) fn header(path: &Path, header: FileHeader) -> Self {
        let storage = Storage::Header(header.bytes, header.sha256);
        Self { path: path.into(), len: header.len, storage }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `out` with the bytes from position `start` on.
    ///
    /// # Errors
    /// [`Error::Read`] if the file is too short or cannot be read.
    pub(super) fn read_at(&self, start: u64, out: &mut [u8]) -> Result<()> {
        let read = match &self.storage {
            Storage::Disk(file, _) => read_exact_at(file, &self.path, start, out),
            Storage::Memory(bytes) => copy_at(bytes, start, out),
            Storage::Header(bytes, _) => copy_at(bytes, start, out),
        };
        read.map_err(|source| Error::Read { path: self.path.clone(), source })
    }

    /// Checks that the length and the modification time of the file are the same as when it was opened.
    ///
    /// # Errors
    /// [`Error::Weights`] if they have changed.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let Storage::Disk(file, modified) = &self.storage else { return Ok(()) };
        let now = file.metadata().map_err(|source| Error::Read { path: self.path.clone(), source })?;
        if now.len() == self.len && now.modified().ok() == *modified {
            return Ok(());
        }
        Err(self.fault("was changed while it was read; run again when the file is complete"))
    }

    /// The first `n` bytes, or fewer if the file is shorter.
    pub(super) fn head(&self, n: usize) -> Result<Vec<u8>> {
        let mut head = vec![0; n.min(usize::try_from(self.len).unwrap_or(n))];
        self.read_at(0, &mut head)?;
        Ok(head)
    }

    /// Opens the file again, for reading from its beginning. The file must be on disk.
    pub(super) fn reader(&self) -> Result<File> {
        disk::open(&self.path).map_err(|source| Error::Read { path: self.path.clone(), source })
    }

    /// SHA-256 in hexadecimal.
    pub(super) fn sha256(&self) -> Result<String> {
        if let Storage::Header(_, Some(sha256)) = &self.storage {
            return Ok(sha256.clone());
        }
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE];
        let mut at = 0;
        while at < self.len {
            let take = (self.len - at).min(PIECE as u64) as usize;
            self.read_at(at, &mut piece[..take])?;
            hash.update(&piece[..take]);
            at += take as u64;
        }
        Ok(seed::hex(&hash.finalize()))
    }

    /// An error about a file that is damaged, truncated, or in another format.
    pub(super) fn damaged(&self, reason: impl std::fmt::Display) -> Error {
        self.fault(format!("{reason}; download or save the file again"))
    }

    /// An error about the whole file. `reason` includes the advice.
    pub(super) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Weights { path: self.path.clone(), reason: reason.into() }
    }

    /// Whether the file is a git-lfs pointer, which contains only the address of the weights.
    pub(super) fn is_pointer(&self) -> Result<bool> {
        Ok(self.head(30)?.starts_with(b"version https://git-lfs"))
    }
}

/// The error about a git-lfs pointer.
pub(super) const POINTER: &str =
    "a git-lfs pointer, not the weights themselves; download them with `git lfs pull`";

fn copy_at(bytes: &[u8], start: u64, out: &mut [u8]) -> std::io::Result<()> {
    let from = usize::try_from(start).ok().and_then(|start| bytes.get(start..)?.get(..out.len()));
    from.map(|from| out.copy_from_slice(from)).ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

#[cfg(unix)]
fn read_exact_at(file: &File, _path: &Path, start: u64, out: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, start)
}

/// This system has no positioned reads, and concurrent reads would share one cursor, so each read opens the
/// file again.
#[cfg(not(unix))]
fn read_exact_at(_file: &File, path: &Path, start: u64, out: &mut [u8]) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = disk::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(out)
}
