//! Stores rows of residual streams in memory, or in a temporary file if they exceed a limit.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use ndarray::Array2;

use super::tensor_values::le_bytes;
use crate::error::{Error, Result};

/// Rows of residual streams: one array per layer, each `(n_rows, d)`.
#[derive(Debug)]
pub(super) struct Store {
    n_rows: usize,
    d: usize,
    storage: Storage,
}

#[derive(Debug)]
enum Storage {
    Memory(Vec<Mutex<Vec<f32>>>),
    /// An unnamed file, which the system removes when the process ends.
    Disk(Mutex<File>),
}

impl Store {
    /// Allocates the rows of `n_layers` arrays, filled with zeros. The rows are in a temporary file if they
    /// need more than `room_bytes` bytes.
    pub(super) fn new(n_layers: usize, n_rows: usize, d: usize, room_bytes: Option<u64>) -> Result<Self> {
        let bytes = 4 * (n_layers as u64) * (n_rows as u64) * (d as u64);
        let storage = if room_bytes.is_some_and(|room| bytes > room) {
            Storage::Disk(Mutex::new(tempfile::tempfile().map_err(unwritten)?))
        } else {
            Storage::Memory((0..n_layers).map(|_| Mutex::new(vec![0.0; n_rows * d])).collect())
        };
        Ok(Self { n_rows, d, storage })
    }

    /// The range of `len` values that start at row `first` of layer `l`. Indices count values, not bytes:
    /// from the start of the layer's array in memory, or from the start of the file.
    fn range(&self, l: usize, first: usize, len: usize) -> Range<usize> {
        let start = match self.storage {
            Storage::Memory(_) => first * self.d,
            Storage::Disk(_) => (l * self.n_rows + first) * self.d,
        };
        start..start + len
    }

    /// Stores the values of rows of layer `l`, starting at row `first`.
    pub(super) fn put(&self, l: usize, first: usize, values: &[f32]) -> Result<()> {
        let range = self.range(l, first, values.len());
        match &self.storage {
            Storage::Memory(layers) => {
                layers[l].lock().unwrap_or_else(PoisonError::into_inner)[range].copy_from_slice(values);
                Ok(())
            }
            Storage::Disk(file) => {
                let bytes = le_bytes(values);
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let start = SeekFrom::Start(4 * range.start as u64);
                file.seek(start).and_then(|_| file.write_all(&bytes)).map_err(unwritten)
            }
        }
    }

    /// Some rows of layer `l`, `(rows, d)`.
    pub(super) fn rows(&self, l: usize, rows: &[usize]) -> Result<Array2<f32>> {
        let mut values = Vec::with_capacity(rows.len() * self.d);
        match &self.storage {
            Storage::Memory(layers) => {
                let layer = layers[l].lock().unwrap_or_else(PoisonError::into_inner);
                rows.iter()
                    .for_each(|row| values.extend_from_slice(&layer[row * self.d..(row + 1) * self.d]));
            }
            Storage::Disk(file) => {
                let mut bytes = vec![0; 4 * self.d];
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                for row in rows {
                    let start = SeekFrom::Start(4 * self.range(l, *row, self.d).start as u64);
                    let read = file.seek(start).and_then(|_| file.read_exact(&mut bytes));
                    read.map_err(|source| Error::Read { path: temporary(), source })?;
                    values
                        .extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
                }
            }
        }
        Array2::from_shape_vec((rows.len(), self.d), values)
            .map_err(|source| candle_core::Error::Msg(source.to_string()).into())
    }
}

fn temporary() -> std::path::PathBuf {
    std::env::temp_dir().join("(unnamed file of states)")
}

fn unwritten(source: std::io::Error) -> Error {
    Error::Write { path: temporary(), source }
}
