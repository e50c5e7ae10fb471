//! The tensors of a pytorch_model.bin: a ZIP archive of one pickle, which says what there is, and one stored
//! entry per storage. Values are read where they lie in the archive, like those of a safetensors file.
//!
//! The pickle is read by [`super::pickle`], which runs no code. candle has a reader of its own, but it can be
//! made to panic (too few arguments), to allocate 4 GiB for a string that is not there and to copy itself
//! without end.

use std::collections::BTreeMap;
use std::io::BufReader;

use zip::{CompressionMethod, ZipArchive};

use super::bytes::{Bytes, POINTER};
use super::entry::{Layout, StoredType, TensorEntry};
use super::pickle::{self, PickledTensor};
use crate::error::Result;

/// Every tensor of a file.
///
/// # Errors
/// [`Error::Weights`](crate::Error::Weights) if it is no such archive, is compressed, or is cut short.
pub(super) fn entries(file: &Bytes, index: usize) -> Result<Vec<(String, TensorEntry)>> {
    if file.is_pointer()? {
        return Err(file.fault(POINTER));
    }
    let head = file.head(4)?;
    if head.first() == Some(&0x80) {
        return Err(file.fault("in the form PyTorch wrote before 1.6, which is not read: load it in PyTorch"));
    }
    let invalid =
        |reason: &dyn std::fmt::Display| file.fault(format!("no valid PyTorch checkpoint ({reason})"));
    let mut archive = ZipArchive::new(BufReader::new(file.reader()?)).map_err(|error| invalid(&error))?;
    if archive.has_duplicate_names() {
        return Err(invalid(&"two of its entries have one name"));
    }
    let mut places: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(|error| invalid(&error))?;
        let name = entry.name().map_err(|error| invalid(&error))?.into_owned();
        let start = entry.data_start().ok_or_else(|| invalid(&format!("{name} is nowhere")))?;
        if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
            return Err(invalid(&format!("{name} is compressed")));
        }
        if start.checked_add(entry.size()).is_none_or(|end| end > file.len()) {
            return Err(invalid(&format!("{name} is cut short")));
        }
        places.insert(name, (start, entry.size()));
    }
    let Some((folder, (start, size))) =
        places.iter().find_map(|(name, place)| Some((name.strip_suffix("data.pkl")?, *place)))
    else {
        return Err(invalid(&"it holds no data.pkl"));
    };
    let mut pickle = vec![0; size as usize];
    file.read_at(start, &mut pickle)?;
    let entry = |tensor: &PickledTensor| -> Option<TensorEntry> {
        let (start, size) = *places.get(&format!("{folder}data/{}", tensor.key))?;
        let (stored, width) = stored_type(tensor);
        let first = tensor.offset.checked_mul(width)?;
        let bytes = tensor.shape.iter().try_fold(width, |bytes, size| bytes.checked_mul(*size as u64))?;
        // Values that lie apart are none that can be read, and need not be within the storage.
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
        None => Err(format!("tensor `{name}` lies outside its storage")),
    };
    pickle::tensors(&pickle, &mut add).map_err(|reason| invalid(&reason))?;
    Ok(entries)
}

/// Characters of an unknown type that are kept.
const LONGEST_TYPE: usize = 32;

/// How a tensor's values are stored, and the bytes of each.
fn stored_type(tensor: &PickledTensor) -> (StoredType, u64) {
    let (stored, width) = match tensor.storage {
        "FloatStorage" => (StoredType::F32, 4),
        "HalfStorage" => (StoredType::F16, 2),
        "BFloat16Storage" => (StoredType::Bf16, 2),
        "DoubleStorage" => (StoredType::F64, 8),
        other => {
            let mut name: String = other.trim_end_matches("Storage").chars().take(LONGEST_TYPE).collect();
            // The name of a type of safetensors, whose width is another.
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
