//! Reads the header of a GGUF file from front to back. Before memory is allocated for a value, its length is
//! compared with the rest of the file.

use crate::error::{Error, Result};
use crate::model::weights::bytes::{Bytes, PIECE};

/// A reader of consecutive values.
pub(super) struct Cursor<'a> {
    file: &'a Bytes,
    /// The buffered bytes from position `start` on.
    piece: Vec<u8>,
    start: u64,
    /// Number of bytes of `piece` already read.
    used: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(file: &'a Bytes) -> Self {
        Self { file, piece: vec![], start: 0, used: 0 }
    }

    /// The position of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.start + self.used as u64
    }

    fn remaining(&self) -> u64 {
        self.file.len() - self.position()
    }

    /// The next `n` bytes. `what` describes these bytes in errors.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file ends too early.
    pub(super) fn take(&mut self, n: u64, what: &str) -> Result<&[u8]> {
        let remaining = self.remaining();
        if n > remaining {
            return Err(self.damaged(format!(
                "truncated: {what} needs {n} bytes at position {}, but only {remaining} bytes remain",
                self.position()
            )));
        }
        let n = n as usize;
        if self.piece.len() - self.used < n {
            (self.start, self.used) = (self.position(), 0);
            let len = (n.max(PIECE) as u64).min(remaining) as usize;
            self.piece.resize(len, 0);
            self.file.read_at(self.start, &mut self.piece)?;
        }
        let taken = &self.piece[self.used..self.used + n];
        self.used += n;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N as u64, what)?);
        Ok(out)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A count of items that need at least `size` bytes each.
    ///
    /// # Errors
    /// [`Error::Weights`] if the rest of the file is too short for these items.
    pub(super) fn count(&mut self, size: u64, what: &str) -> Result<u64> {
        let count = self.u64(what)?;
        let remaining = self.remaining();
        if count.checked_mul(size).is_none_or(|bytes| bytes > remaining) {
            return Err(self.damaged(format!(
                "truncated or damaged: {what} is {count}, more than the remaining {remaining} bytes can \
                 contain"
            )));
        }
        Ok(count)
    }

    /// Reads the length of a string and then the string. Invalid UTF-8 is replaced.
    pub(super) fn text(&mut self, what: &str) -> Result<String> {
        let n = self.u64(what)?;
        let bytes = self.take(n, what)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    /// An error about a damaged or truncated file.
    pub(super) fn damaged(&self, reason: impl std::fmt::Display) -> Error {
        self.file.damaged(reason)
    }
}
