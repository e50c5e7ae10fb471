//! Reads the tensors of a pytorch_model.bin: a ZIP archive with one pickle, which lists the tensors, and one
//! uncompressed entry per storage (an array of values). Values are read directly from the archive, without
//! unpacking it.
//!
//! [`super::pickle`] reads the pickle without running code. The reader of candle is not used, because a
//! malformed pickle can make it panic, allocate 4 GiB for a missing string, or copy values endlessly.

use std::collections::BTreeMap;
use std::io::BufReader;

use zip::{CompressionMethod, ZipArchive};

use super::bytes::{Bytes, POINTER};
use super::entry::{Layout, StoredType, TensorEntry};
use super::pickle::{self, PickledTensor};
use crate::error::Result;

/// The names and entries of all tensors in a file; `index` is the number of the file in the checkpoint.
///
/// # Errors
/// [`Error::Weights`](crate::Error::Weights) if the file is not such an archive, or is compressed or
/// truncated.
pub(super) fn entries(file: &Bytes, index: usize) -> Result<Vec<(String, TensorEntry)>> {
    if file.is_pointer()? {
        return Err(file.fault(POINTER));
    }
    let head = file.head(4)?;
    if head.first() == Some(&0x80) {
        return Err(file.fault(
            "in the format of PyTorch before version 1.6, which is not supported; load the file with a newer \
             PyTorch and save it again",
        ));
    }
    let invalid =
        |reason: &dyn std::fmt::Display| file.damaged(format!("not a valid PyTorch checkpoint ({reason})"));
    let mut archive = ZipArchive::new(BufReader::new(file.reader()?)).map_err(|error| invalid(&error))?;
    if archive.has_duplicate_names() {
        return Err(invalid(&"two of its entries have the same name"));
    }
    let mut places: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(|error| invalid(&error))?;
        let name = entry.name().map_err(|error| invalid(&error))?.into_owned();
        let start =
            entry.data_start().ok_or_else(|| invalid(&format!("the position of {name} is unknown")))?;
        if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
            return Err(invalid(&format!("{name} is compressed")));
        }
        if start.checked_add(entry.size()).is_none_or(|end| end > file.len()) {
            return Err(invalid(&format!("{name} is truncated")));
        }
        places.insert(name, (start, entry.size()));
    }
    let Some((folder, (start, size))) =
        places.iter().find_map(|(name, place)| Some((name.strip_suffix("data.pkl")?, *place)))
    else {
        return Err(invalid(&"it contains no data.pkl"));
    };
    if size > MOST_PICKLE {
        return Err(invalid(&format!(
            "its data.pkl has {size} bytes, which exceeds the limit of {MOST_PICKLE}"
        )));
    }
    let mut pickle = vec![0; size as usize];
    file.read_at(start, &mut pickle)?;
    let entry = |tensor: &PickledTensor| -> Option<TensorEntry> {
        let (start, size) = *places.get(&format!("{folder}data/{}", tensor.key))?;
        let (stored, width) = stored_type(tensor);
        let first = tensor.offset.checked_mul(width)?;
        let bytes = tensor.shape.iter().try_fold(width, |bytes, size| bytes.checked_mul(*size as u64))?;
        // Tensors with unsupported strides have the type `Other`. Their values are never read, so their end
        // is not checked.
        let fits = first.checked_add(bytes)? <= size || matches!(stored, StoredType::Other(_));
        fits.then_some(TensorEntry {
            file: index,
            stored,
            layout: if tensor.is_transposed() { Layout::Transposed } else { Layout::Published },
            shape: tensor.shape.clone(),
            start: start + first,
        })
    };
    let mut entries = vec![];
    let mut add = |name: &str, tensor: &PickledTensor| match entry(tensor) {
        Some(entry) => {
            entries.push((name.to_owned(), entry));
            Ok(())
        }
        None => Err(format!("tensor `{name}` exceeds its storage")),
    };
    pickle::tensors(&pickle, &mut add).map_err(|reason| invalid(&reason))?;
    Ok(entries)
}

/// Maximum size of the pickle in bytes. The pickle needs only a few hundred bytes per tensor.
const MOST_PICKLE: u64 = 64 << 20;
/// Maximum number of characters of the name of an unknown type in errors.
const LONGEST_TYPE: usize = 32;

/// The stored type of a tensor, and the number of bytes per value.
fn stored_type(tensor: &PickledTensor) -> (StoredType, u64) {
    let (stored, width) = match tensor.storage {
        "FloatStorage" => (StoredType::F32, 4),
        "HalfStorage" => (StoredType::F16, 2),
        "BFloat16Storage" => (StoredType::Bf16, 2),
        "DoubleStorage" => (StoredType::F64, 8),
        other => {
            let mut name: String = other.trim_end_matches("Storage").chars().take(LONGEST_TYPE).collect();
            // The name must differ from the safetensors type `I64`, whose values have another width.
            if name == "I64" {
                name.push_str("Storage");
            }
            (StoredType::Other(name), 1)
        }
    };
    if tensor.is_dense() || tensor.is_transposed() {
        return (stored, width);
    }
    (StoredType::Other(format!("{} in strides of {:?}", stored.name(), tensor.strides)), width)
}
