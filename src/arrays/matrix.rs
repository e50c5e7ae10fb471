//! Reads a matrix from a file and detects the format of the file.

use std::io::Read;
use std::path::Path;

use ndarray::Array2;

use super::values::Values;
use super::{npy, round, safetensors, table};
use crate::disk;
use crate::error::{Error, Result};
use crate::seed;

/// A matrix with the hash and format of its file.
#[derive(Debug, Clone)]
pub struct Array {
    /// The values, `(n, d)`, in f32. f64 and integers are rounded to f32 column by column. A column is first
    /// centred at the mean and divided by the standard deviation (good for values far from zero), or centred
    /// at the median and divided by the median distance from it (good for extreme values), or not scaled
    /// (good for values over many orders of magnitude). Each column gets the scaling that keeps the most
    /// values distinct. Scaling does not change mutual information.
    pub values: Array2<f32>,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The format of the file: `safetensors`, `npy`, `csv`.
    pub format: &'static str,
}

/// Reads a matrix. `name` selects the array of a safetensors file.
///
/// # Errors
/// [`Error::Read`] if the file cannot be read; [`Error::Csv`] for a malformed row of a CSV file;
/// [`Error::Array`] for any other malformed file, a missing array, an unsupported type, or an array with more
/// than two axes.
pub fn read(path: &Path, name: &str) -> Result<Array> {
    let mut bytes = vec![];
    // The size of the file is not limited, because large arrays are valid inputs.
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
                "contains an array of shape {shape:?}; give a matrix (n, d) with one row for each sample"
            )));
        }
    };
    if n == 0 || d == 0 {
        return Err(fault(format!(
            "contains an array of shape {shape:?} without values; give at least one row \
                                  and one column"
        )));
    }
    let values = match values {
        Values::Single(values) => values,
        Values::Double(values) => round::to_f32(&values, d),
    };
    let values = Array2::from_shape_vec((n, d), values).map_err(|error| fault(error.to_string()))?;
    Ok(Array { values, sha256: seed::sha256_hex(&bytes), format })
}
