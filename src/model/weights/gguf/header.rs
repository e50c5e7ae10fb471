//! Reads the header of a GGUF file.

use std::collections::BTreeMap;

use super::cursor::Cursor;
use super::metadata::Metadata;
use super::tensors::{self, Listed};
use super::value::Value;
use crate::error::Result;
use crate::model::weights::bytes::{Bytes, POINTER};
use crate::model::weights::entry::TensorEntry;

const MAGIC: &[u8] = b"GGUF";
/// Default alignment of tensors in bytes.
const ALIGNMENT: u64 = 32;
/// Maximum alignment of tensors in bytes.
const MOST_ALIGNMENT: u64 = 1 << 16;
/// Minimum size of a metadata entry in bytes: the length of the key (8), the type (4), and a value of one
/// byte.
const LEAST_BYTES: u64 = 13;

/// Reads the metadata and the list of tensors.
///
/// # Errors
/// [`Error::Weights`](crate::Error::Weights) if the file is not a GGUF file, or is damaged or truncated;
/// [`Error::Tensor`](crate::Error::Tensor) for a tensor of an unsupported type, or with an invalid entry.
pub(super) fn read(file: &Bytes) -> Result<(Metadata, Vec<(String, TensorEntry)>)> {
    if file.is_pointer()? {
        return Err(file.fault(POINTER));
    }
    let mut cursor = Cursor::new(file);
    let magic: [u8; 4] = cursor.array("its first word")?;
    if magic != MAGIC {
        return Err(file.damaged("not a GGUF file: it does not begin with `GGUF`"));
    }
    let version = cursor.u32("its version")?;
    match version {
        2 | 3 => {}
        _ if version.swap_bytes() <= 3 => {
            let reason = "a GGUF file for big-endian machines, which surmise does not support; use a \
                          little-endian file of the model";
            return Err(file.fault(reason));
        }
        1 => {
            let reason = "a GGUF file of version 1, which is obsolete; use a newer file of the model";
            return Err(file.fault(reason));
        }
        _ => {
            return Err(file.fault(format!(
                "a GGUF file of version {version}, but surmise supports only versions 2 and 3; use another \
                 file of the model"
            )));
        }
    }
    let n_tensors = cursor.count(tensors::LEAST_BYTES, "the number of tensors")?;
    let n_keys = cursor.count(LEAST_BYTES, "the number of keys")?;
    let mut values = BTreeMap::new();
    for _ in 0..n_keys {
        let key = cursor.text("the name of a key")?;
        let value = Value::read(&mut cursor, &key)?;
        if values.contains_key(&key) {
            return Err(file.damaged(format!("damaged: it has the key `{key}` twice")));
        }
        values.insert(key, value);
    }
    let metadata = Metadata::new(file.path(), values);
    let alignment = metadata.size("general.alignment")?.map_or(ALIGNMENT, |size| size as u64);
    if !alignment.is_power_of_two() || alignment > MOST_ALIGNMENT {
        let reason = format!(
            "key `general.alignment` is {alignment}, which is not a power of two up to 65536; download the \
             file again"
        );
        return Err(metadata.fault(reason));
    }
    let mut listed = vec![];
    for _ in 0..n_tensors {
        listed.push(Listed::read(&mut cursor, file)?);
    }
    let data = cursor.position().next_multiple_of(alignment);
    let entries = tensors::entries(listed, file, [data, alignment])?;
    Ok((metadata, entries))
}
