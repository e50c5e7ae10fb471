//! Reads the header of a safetensors file: eight bytes with the length of the header, then a JSON object with
//! the type, shape and position of each tensor. The safetensors library checks a header only if the whole
//! file is in memory. This module compares the header with the length of the file instead.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::bytes::{Bytes, POINTER};
use super::entry::{Layout, StoredType, TensorEntry};
use crate::error::Result;

/// Number of bytes that encode the length of the header.
const LENGTH: usize = 8;
/// Maximum header size in bytes, as in the safetensors library.
const MOST: u64 = 100_000_000;

/// The names and entries of all tensors in a file; `index` is the number of the file in the checkpoint.
///
/// # Errors
/// [`Error::Weights`](crate::Error::Weights) if the header is malformed or the file is truncated.
pub(super) fn entries(file: &Bytes, index: usize) -> Result<Vec<(String, TensorEntry)>> {
    let n = file.len();
    if file.is_pointer()? {
        return Err(file.fault(POINTER));
    }
    let head = file.head(LENGTH)?;
    let Ok(length) = <[u8; LENGTH]>::try_from(head.as_slice()) else {
        return Err(file.damaged(format!("{n} bytes are too few for a safetensors file")));
    };
    let length = u64::from_le_bytes(length);
    let invalid =
        |reason: &dyn std::fmt::Display| file.damaged(format!("not a valid safetensors file ({reason})"));
    if length > MOST {
        return Err(invalid(&"header too large"));
    }
    let data = LENGTH as u64 + length;
    if data > n {
        return Err(file.damaged(format!("truncated: the file has only {n} bytes, fewer than its header")));
    }
    let mut header = vec![0; length as usize];
    file.read_at(LENGTH as u64, &mut header)?;
    let text = std::str::from_utf8(&header)
        .map_err(|error| invalid(&format!("invalid UTF-8 in header: {error}")))?;
    // During parsing, the library checks that the tensors are contiguous and that each tensor has the length
    // that its type and shape require.
    let header: Metadata = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => invalid(&error),
        false => invalid(&format!("invalid JSON in header: {error}")),
    })?;
    let found: HashMap<String, &TensorInfo> = header.tensors();
    let end = found.values().map(|info| info.data_offsets.1).max().unwrap_or(0);
    if data.checked_add(end as u64) != Some(n) {
        return Err(file.damaged(format!("truncated or too long: its {n} bytes do not match its header")));
    }
    let entry = |info: &TensorInfo| TensorEntry {
        layout: Layout::Published,
        file: index,
        stored: stored_type(info.dtype),
        shape: info.shape.clone(),
        start: data + info.data_offsets.0 as u64,
    };
    Ok(found.into_iter().map(|(name, info)| (name, entry(info))).collect())
}

fn stored_type(dtype: Dtype) -> StoredType {
    match dtype {
        Dtype::F32 => StoredType::F32,
        Dtype::F16 => StoredType::F16,
        Dtype::BF16 => StoredType::Bf16,
        Dtype::F64 => StoredType::F64,
        other => StoredType::Other(format!("{other:?}")),
    }
}
