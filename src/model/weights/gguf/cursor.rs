//! A place in the header of a GGUF file. Every length is checked against what is left of the file before
//! anything is allocated for it.

use crate::error::{Error, Result};
use crate::model::weights::bytes::{Bytes, PIECE};

/// Reads one value after another.
pub(super) struct Cursor<'a> {
    file: &'a Bytes,
    /// The bytes at `start`.
    piece: Vec<u8>,
    start: u64,
    /// How far `piece` is read.
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

    /// The next `n` bytes; `what` they are of is for the error.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file ends before.
    pub(super) fn take(&mut self, n: u64, what: &str) -> Result<&[u8]> {
        let remaining = self.remaining();
        if n > remaining {
            return Err(self.fault(format!(
                "truncated: {what} needs {n} bytes at position {}, and the file has {remaining} more",
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

    /// The next bytes, as many as the array has.
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

    /// A count of things that take at least `size` bytes each.
    ///
    /// # Errors
    /// [`Error::Weights`] if the file cannot hold so many.
    pub(super) fn count(&mut self, size: u64, what: &str) -> Result<u64> {
        let count = self.u64(what)?;
        let remaining = self.remaining();
        if count.checked_mul(size).is_none_or(|bytes| bytes > remaining) {
            return Err(self.fault(format!(
                "truncated or damaged: {what} is {count}, more than the {remaining} bytes that follow can \
                 hold"
            )));
        }
        Ok(count)
    }

    /// A text with its length before it. Bytes that are no UTF-8 are replaced.
    pub(super) fn text(&mut self, what: &str) -> Result<String> {
        let n = self.u64(what)?;
        let bytes = self.take(n, what)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn fault(&self, reason: String) -> Error {
        self.file.fault(reason)
    }
}
