//! Reads NumPy's npy format: a magic string, a version, a header that is a Python literal, and the values.
//! The header is parsed; it is never evaluated as Python code.
//!
//! # References
//! NEP 1, *A Simple File Format for NumPy Arrays*.

use super::values::{Values, each};

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Returns the shape and the values in row-major order.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<usize>, Values), String> {
    let cut = || "is truncated: it ends within its header; write the file again".to_owned();
    let rest = &bytes[MAGIC.len()..];
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
    let (length, rest) = match version[0] {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => {
            return Err(format!(
                "has npy version {other}, but surmise reads versions 1 to 3; save the \
                                     array again with NumPy"
            ));
        }
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| {
        "has an npy header that is not UTF-8; write the \
                                                          file again"
            .to_owned()
    })?;
    let malformed = |key: &str| {
        format!("has an npy header without a valid `{key}` ({}); write the file again", header.trim_end())
    };
    let text = |key: &str| -> Option<&str> {
        let value = after(header, key)?;
        let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        value[1..].split(quote).next()
    };
    let kind = text("descr").ok_or_else(|| malformed("descr"))?;
    let fortran = match after(header, "fortran_order") {
        Some(value) if value.starts_with("True") => true,
        Some(value) if value.starts_with("False") => false,
        _ => return Err(malformed("fortran_order")),
    };
    let shape = shape(header).ok_or_else(|| malformed("shape"))?;
    let size = match kind {
        "<f4" | "<i4" => 4,
        "<f8" | "<i8" => 8,
        "<f2" => 2,
        "|u1" | "|i1" => 1,
        _ => {
            return Err(format!(
                "contains values of type {kind}; save the array as little-endian float32 or \
                                float64"
            ));
        }
    };
    let expected = shape.iter().try_fold(size, |bytes: usize, axis| bytes.checked_mul(*axis));
    if expected != Some(data.len()) {
        return Err(format!(
            "declares an array of shape {shape:?} and type {kind}, but contains {} bytes of values; write \
             the file again",
            data.len()
        ));
    }
    let values = match kind {
        "<f4" => Values::Single(ordered(each(data, f32::from_le_bytes), &shape, fortran)),
        "<f2" => {
            Values::Single(ordered(each(data, |b| half::f16::from_le_bytes(b).to_f32()), &shape, fortran))
        }
        "<f8" => Values::Double(ordered(each(data, f64::from_le_bytes), &shape, fortran)),
        "<i4" => Values::Double(ordered(each(data, |b| f64::from(i32::from_le_bytes(b))), &shape, fortran)),
        "<i8" => Values::Double(ordered(each(data, |b| i64::from_le_bytes(b) as f64), &shape, fortran)),
        "|u1" => Values::Double(ordered(each(data, |b: [u8; 1]| f64::from(b[0])), &shape, fortran)),
        _ => Values::Double(ordered(each(data, |b| f64::from(i8::from_le_bytes(b))), &shape, fortran)),
    };
    Ok((shape, values))
}

/// The part of the header after `'key':`.
fn after<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let at = [format!("'{key}'"), format!("\"{key}\"")]
        .iter()
        .find_map(|key| Some(header.find(key)? + key.len()))?;
    Some(header[at..].trim_start().strip_prefix(':')?.trim_start())
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let inside = after(header, "shape")?.strip_prefix('(')?.split_once(')')?.0;
    let axes = inside.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    axes.map(|axis| axis.parse().ok()).collect()
}

/// Converts column-major values to row-major order, if the file is column-major.
fn ordered<T: Copy>(values: Vec<T>, shape: &[usize], fortran: bool) -> Vec<T> {
    match shape {
        &[n, d] if fortran => (0..n * d).map(|at| values[(at % d) * n + at / d]).collect(),
        _ => values,
    }
}
