//! Reads one array of a safetensors file.

use safetensors::{Dtype, SafeTensors};

use super::values::{Values, each};

/// Whether the bytes begin like a safetensors file: an 8-byte header length of plausible size, then an
/// opening brace.
pub(super) fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return false;
    };
    // A text file does not pass this check: eight bytes of text, interpreted as a length, exceed the size of
    // any file.
    rest.first() == Some(&b'{') && u64::from_le_bytes(*length) < 1 << 32
}

/// Returns the shape and the values of the array `name`, in row-major order.
pub(super) fn read(bytes: &[u8], name: &str) -> Result<(Vec<usize>, Values), String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("is not a valid safetensors file ({error}); write the file again"))?;
    let names = || {
        let mut names: Vec<String> = file.names().into_iter().map(|name| format!("`{name}`")).collect();
        names.sort_unstable();
        if names.is_empty() { "no arrays".to_owned() } else { names.join(", ") }
    };
    let array = file.tensor(name).map_err(|_| format!("has no array `{name}`; it contains {}", names()))?;
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
            return Err(format!(
                "contains `{name}` as {other:?}; save it as f32, f64, f16, bf16, i32, i64 or \
                                u8"
            ));
        }
    };
    Ok((array.shape().to_vec(), values))
}
