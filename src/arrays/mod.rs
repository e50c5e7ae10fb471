//! Arrays of numbers from files that other tools wrote: safetensors, NumPy's npy, CSV. A file is told by its
//! first bytes, not by its name.
//!
//! # Shapes
//! A matrix `(n, d)`; an array of one axis is `(n, 1)`.

mod npy;
mod table;

use std::path::Path;

use ndarray::Array2;
use safetensors::{Dtype, SafeTensors};

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
    /// What is in the file: `safetensors`, `npy`, `csv`.
    pub format: &'static str,
}

/// The numbers of a file before they are rounded.
enum Values {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// Reads a matrix; of a safetensors file the array called `name`.
///
/// # Errors
/// [`Error::Read`], [`Error::Array`] for what is no such file, has no such array, holds another type or has
/// more than two axes, [`Error::Csv`].
pub fn read(path: &Path, name: &str) -> Result<Array> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    let fault = |reason: String| Error::Array { path: path.into(), reason };
    if bytes.is_empty() {
        return Err(fault("is empty; give a matrix as safetensors, npy or CSV".into()));
    }
    let (format, shape, values) = if bytes.starts_with(npy::MAGIC) {
        let (shape, values) = npy::read(&bytes).map_err(fault)?;
        ("npy", shape, values)
    } else if is_safetensors(&bytes) {
        let (shape, values) = from_safetensors(&bytes, name).map_err(fault)?;
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
        Values::Double(values) => rounded(&values, d),
    };
    let values = Array2::from_shape_vec((n, d), values).map_err(|error| fault(error.to_string()))?;
    Ok(Array { values, sha256: seed::sha256_hex(&bytes), format })
}

/// Eight bytes of a length that fits, and the brace that opens the header.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return false;
    };
    // Text cannot look like this: a header of its length would be beyond any file.
    rest.first() == Some(&b'{') && u64::from_le_bytes(*length) < 1 << 32
}

fn from_safetensors(bytes: &[u8], name: &str) -> std::result::Result<(Vec<usize>, Values), String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("is no valid safetensors file ({error}); write it again"))?;
    let names = || {
        let mut names: Vec<String> = file.names().into_iter().map(|name| format!("`{name}`")).collect();
        names.sort_unstable();
        if names.is_empty() { "no arrays".to_owned() } else { names.join(", ") }
    };
    let array = file.tensor(name).map_err(|_| format!("has no array `{name}`; it holds {}", names()))?;
    let data = array.data();
    let values = match array.dtype() {
        Dtype::F32 => Values::Single(each(data, f32::from_le_bytes)),
        Dtype::F16 => Values::Single(each(data, |bytes| half::f16::from_le_bytes(bytes).to_f32())),
        Dtype::BF16 => Values::Single(each(data, |bytes| half::bf16::from_le_bytes(bytes).to_f32())),
        Dtype::F64 => Values::Double(each(data, f64::from_le_bytes)),
        Dtype::I64 => Values::Double(each(data, |bytes| i64::from_le_bytes(bytes) as f64)),
        Dtype::I32 => Values::Double(each(data, |bytes| f64::from(i32::from_le_bytes(bytes)))),
        Dtype::U8 => Values::Double(each(data, |bytes: [u8; 1]| f64::from(bytes[0]))),
        other => {
            return Err(format!("holds `{name}` as {other:?}; give f32, f64, f16, bf16, i32, i64 or u8"));
        }
    };
    Ok((array.shape().to_vec(), values))
}

/// The numbers in some bytes, `N` bytes each.
fn each<const N: usize, T>(data: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    data.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

/// To f32, in units per column that keep values apart, where all values are finite; else as they are, so that
/// the bad one is still there to be found.
fn rounded(values: &[f64], d: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for column in 0..d {
        let own: Vec<f64> = values[column..].iter().step_by(d).copied().collect();
        out[column..].iter_mut().step_by(d).zip(rounded_column(&own)).for_each(|(out, value)| *out = value);
    }
    out
}

fn rounded_column(values: &[f64]) -> Vec<f32> {
    let most = values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let as_they_are = || values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    if !values.iter().all(|value| value.is_finite()) || most == 0.0 {
        return as_they_are();
    }
    let n = values.len() as f64;
    // Divided by the largest first, so that no sum overflows.
    let mean = values.iter().map(|value| value / most).sum::<f64>() / n;
    let variance = values.iter().map(|value| (value / most - mean).powi(2)).sum::<f64>() / n;
    // What varies less than the rounding of f64 is constant, and stays so.
    let sd = if variance.sqrt() > 1e-14 { variance.sqrt() } else { f64::INFINITY };
    let standard: Vec<f32> = values.iter().map(|value| ((value / most - mean) / sd) as f32).collect();
    let distinct = |values: &[f32]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup();
        values.len()
    };
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let median = sorted[values.len() / 2];
    sorted.dedup();
    let mut best = (distinct(&standard), standard);
    if best.0 == sorted.len() || sd == f64::INFINITY {
        return best.1;
    }
    let mut distances: Vec<f64> =
        values.iter().map(|value| (value - median).abs()).filter(|own| *own > 0.0).collect();
    distances.sort_unstable_by(f64::total_cmp);
    let typical = distances.get(distances.len() / 2).copied().unwrap_or(1.0);
    let robust: Vec<f32> = values.iter().map(|value| ((value - median) / typical) as f32).collect();
    for other in [robust, as_they_are()] {
        let apart = distinct(&other);
        if apart > best.0 && other.iter().all(|value| value.is_finite()) {
            best = (apart, other);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_columns_are_names_where_no_value_is_a_whole_number() {
        let shape = |text: &str| table::read(Path::new("x.csv"), text.as_bytes()).expect("numbers").0;
        assert_eq!(shape("0,1\n0.5,1.0\n1e-3,2.5\n"), [2, 2]);
        assert_eq!(shape("0\n0.5\n"), [1, 1]);
        for values in ["0,1\n0.5,1\n1e-3,2.5\n", "0,2\n0.5,1.0\n", "0.0,1.0\n0.5,1.0\n", "0,1\n"] {
            assert_eq!(shape(values), [values.lines().count(), 2], "{values}");
        }
    }

    #[test]
    fn doubles_keep_what_f32_would_lose_and_constants_stay_constant() {
        let values = vec![1e9 + 1.0, 7.0, 1e300, 1e9 + 2.0, 7.0, -1e300];
        let seen = rounded(&values, 3);
        // In f32 both of the first column would be the same number.
        let wanted = [-1.0, 0.0, 1.0, 1.0, 0.0, -1.0];
        assert!(seen.iter().zip(wanted).all(|(seen, wanted)| (seen - wanted).abs() < 1e-6), "{seen:?}");
        assert!(rounded(&[1.0, f64::NAN], 1)[1].is_nan());
        // One value far from the others, and many orders of magnitude: none is lost.
        for values in [
            vec![0.1, 0.2, 0.3, 1e12],
            vec![1e-20, 1e-10, 1.0, 1e10, 1e20],
            vec![1e9, 1e9 + 1.0, 1e9 + 2.0, 1e30],
        ] {
            let seen = rounded(&values, 1);
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
        }
    }
}
