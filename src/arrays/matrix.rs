//! Reads a matrix, whatever format its file has.

use std::io::Read;
use std::path::Path;

use ndarray::Array2;

use super::values::Values;
use super::{npy, round, safetensors, table};
use crate::disk;
use crate::error::{Error, Result};
use crate::seed;

/// A matrix and where it came from.
#[derive(Debug, Clone)]
pub struct Array {
    /// `(n, d)`, f32. Types that f32 cannot hold (f64 and integers) are rounded column by column in those of
    /// three units that keep most values apart: centred and in standard deviations (far from
    /// zero), centred at the median and in median distances from it (a value far from all others), or as
    /// they are (many orders of magnitude about zero). Information does not change.
    pub values: Array2<f32>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The format of the file: `safetensors`, `npy`, `csv`.
    pub format: &'static str,
}

/// Reads a matrix; of a safetensors file the array called `name`.
///
/// # Errors
/// [`Error::Read`], [`Error::Array`] for what is no such file, has no such array, holds another type or has
/// more than two axes, [`Error::Csv`].
pub fn read(path: &Path, name: &str) -> Result<Array> {
    let mut bytes = vec![];
    // Arrays may be as large as the memory.
    let read = disk::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|source| Error::Read { path: path.into(), source })?;
    let fault = |reason: String| Error::Array { path: path.into(), reason };
    if bytes.is_empty() {
        return Err(fault("is empty; give a matrix as safetensors, npy or CSV".into()));
    }
    let (format, shape, values) = if bytes.starts_with(npy::MAGIC) {
        let (shape, values) = npy::read(&bytes).map_err(fault)?;
        ("npy", shape, values)
    } else if safetensors::is_safetensors(&bytes) {
        let (shape, values) = safetensors::read(&bytes, name).map_err(fault)?;
        ("safetensors", shape, values)
    } else {
        let (shape, values) = table::read(path, &bytes)?;
        ("csv", shape, values)
    };
    let (n, d) = match *shape.as_slice() {
        [n] => (n, 1),
        [n, d] => (n, d),
        _ => {
            return Err(fault(format!(
                "holds an array of shape {shape:?}; give a matrix (n, d), a row for each sample"
            )));
        }
    };
    if n == 0 || d == 0 {
        return Err(fault(format!("holds an array of shape {shape:?}, which has no values")));
    }
    let values = match values {
        Values::Single(values) => values,
        Values::Double(values) => round::to_f32(&values, d),
    };
    let values = Array2::from_shape_vec((n, d), values).map_err(|error| fault(error.to_string()))?;
    Ok(Array { values, sha256: seed::sha256_hex(&bytes), format })
}
