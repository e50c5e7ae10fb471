//! Reads the list of tensors in the header, and checks that names, types, shapes and positions are valid.

use std::collections::BTreeSet;

use super::cursor::Cursor;
use crate::error::{Error, Result};
use crate::model::weights::bytes::Bytes;
use crate::model::weights::entry::{Layout, StoredType, TensorEntry};
use crate::model::weights::quantised::Quantised;

/// Maximum number of dimensions in ggml.
const MOST_DIMENSIONS: u32 = 4;
/// Minimum size of an entry in bytes: length of the name, number of dimensions, type, offset.
pub(super) const LEAST_BYTES: u64 = 24;

/// A tensor in the list of the header.
pub(super) struct Listed {
    name: String,
    stored: StoredType,
    /// Slowest dimension first.
    shape: Vec<usize>,
    /// Position of the first value, counted in bytes from the beginning of the data.
    offset: u64,
    bytes: u64,
}

impl Listed {
    /// Reads one entry.
    pub(super) fn read(cursor: &mut Cursor, file: &Bytes) -> Result<Self> {
        let name = cursor.text("the name of a tensor")?;
        let what = format!("the entry of tensor `{name}`");
        let fault = |reason: String| Error::Tensor { path: file.path().into(), tensor: name.clone(), reason };
        let n = cursor.u32(&what)?;
        if n > MOST_DIMENSIONS {
            return Err(fault(format!("has {n} dimensions: the file is damaged; download it again")));
        }
        let mut shape = vec![];
        for _ in 0..n {
            shape.push(cursor.u64(&what)?);
        }
        let code = cursor.u32(&what)?;
        let offset = cursor.u64(&what)?;
        let Some(stored) = stored_type(code) else {
            let kind = foreign_type(code).map_or(format!("number {code}"), str::to_owned);
            return Err(fault(format!(
                "has the unsupported type {kind}; use a file of the same model whose name contains \
                 Q4_K_M, Q5_K_M, Q6_K, Q8_0, F16 or BF16"
            )));
        };
        let (values, size) = stored.block().unwrap_or((1, 1));
        let row = shape.first().copied().unwrap_or(1);
        if !row.is_multiple_of(values as u64) {
            let kind = stored.name();
            return Err(fault(format!(
                "has rows of {row} values, which is not a whole number of {kind} blocks; download the file \
                 again"
            )));
        }
        let n = shape.iter().try_fold(1_u64, |n, size| n.checked_mul(*size));
        let bytes = n.and_then(|n| (n / values as u64).checked_mul(size as u64));
        let fits = bytes.filter(|bytes| *bytes <= file.len());
        let (Some(bytes), true) = (fits, shape.iter().all(|size| *size > 0)) else {
            return Err(fault(format!(
                "has shape {shape:?}, which a file of {} bytes cannot contain; download the file again",
                file.len()
            )));
        };
        // The conversions cannot overflow, because each size is at most the file's length.
        let shape = shape.into_iter().rev().map(|size| size as usize).collect();
        Ok(Self { name, stored, shape, offset, bytes })
    }
}

/// The entries of the tensors in a file. The data of the tensors begin at position `data`, and each tensor at
/// a multiple of `alignment`.
///
/// # Errors
/// [`Error::Tensor`] for a tensor that exceeds the end of the file, overlaps another tensor, or has a
/// duplicate name.
pub(super) fn entries(
    listed: Vec<Listed>,
    file: &Bytes,
    [data, alignment]: [u64; 2],
) -> Result<Vec<(String, TensorEntry)>> {
    let fault =
        |name: &str, reason: String| Error::Tensor { path: file.path().into(), tensor: name.into(), reason };
    let mut names = BTreeSet::new();
    let mut places = vec![];
    for tensor in &listed {
        let Listed { name, offset, bytes, .. } = tensor;
        if !names.insert(name.as_str()) {
            return Err(fault(name, "occurs twice; download the file again".into()));
        }
        if !offset.is_multiple_of(alignment) {
            return Err(fault(
                name,
                format!(
                    "begins at {offset}, which is not a multiple of {alignment}; download the file again"
                ),
            ));
        }
        let start = data.checked_add(*offset);
        let end = start.and_then(|start| start.checked_add(*bytes));
        match (start, end) {
            (Some(start), Some(end)) if end <= file.len() => places.push((start, end, name.as_str())),
            _ => {
                return Err(fault(
                    name,
                    format!(
                        "needs {bytes} bytes from position {offset} of the data, but the file is truncated; \
                         download it again"
                    ),
                ));
            }
        }
    }
    places.sort_unstable();
    if let Some(pair) = places.windows(2).find(|pair| pair[0].1 > pair[1].0) {
        return Err(fault(pair[1].2, format!("overlaps `{}`; download the file again", pair[0].2)));
    }
    let entry = |tensor: Listed| {
        let Listed { name, stored, shape, offset, .. } = tensor;
        (name, TensorEntry { file: 0, stored, shape, start: data + offset, layout: Layout::Published })
    };
    Ok(listed.into_iter().map(entry).collect())
}

fn stored_type(code: u32) -> Option<StoredType> {
    Some(match code {
        0 => StoredType::F32,
        1 => StoredType::F16,
        2 => StoredType::Quantised(Quantised::Q4_0),
        3 => StoredType::Quantised(Quantised::Q4_1),
        6 => StoredType::Quantised(Quantised::Q5_0),
        7 => StoredType::Quantised(Quantised::Q5_1),
        8 => StoredType::Quantised(Quantised::Q8_0),
        10 => StoredType::Quantised(Quantised::Q2K),
        11 => StoredType::Quantised(Quantised::Q3K),
        12 => StoredType::Quantised(Quantised::Q4K),
        13 => StoredType::Quantised(Quantised::Q5K),
        14 => StoredType::Quantised(Quantised::Q6K),
        28 => StoredType::F64,
        30 => StoredType::Bf16,
        39 => StoredType::Quantised(Quantised::Mxfp4),
        _ => return None,
    })
}

/// The names of the supported tensor types, and the names of the unsupported tensor types.
#[cfg(test)]
pub(in crate::model) fn types() -> [Vec<String>; 2] {
    let read = (0..256).filter_map(stored_type).map(|stored| stored.name().to_owned()).collect();
    [read, (0..256).filter_map(foreign_type).map(str::to_owned).collect()]
}

/// The name of an unsupported tensor type; `None` for an unknown code.
fn foreign_type(code: u32) -> Option<&'static str> {
    Some(match code {
        4 => "Q4_2",
        5 => "Q4_3",
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        40 => "NVFP4",
        _ => return None,
    })
}
