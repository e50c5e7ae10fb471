//! Converts quantised types to f32. The values of a block share a scale and, in some types, a minimum.
//!
//! # References
//! The layouts follow `ggml-common.h`. candle converts all types except MXFP4, which this module converts.
//! The results are bit-identical to the results of the Python package `gguf`.

use std::borrow::Cow;

use candle_core::CpuStorage;
use candle_core::quantized::GgmlDType;

/// A supported quantised type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantised {
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2K,
    Q3K,
    Q4K,
    Q5K,
    Q6K,
    Mxfp4,
}

impl Quantised {
    /// The name in ggml.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q2K => "Q2_K",
            Self::Q3K => "Q3_K",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
            Self::Mxfp4 => "MXFP4",
        }
    }

    /// The same type in candle; `None` if candle does not support it.
    fn dtype(self) -> Option<GgmlDType> {
        Some(match self {
            Self::Q4_0 => GgmlDType::Q4_0,
            Self::Q4_1 => GgmlDType::Q4_1,
            Self::Q5_0 => GgmlDType::Q5_0,
            Self::Q5_1 => GgmlDType::Q5_1,
            Self::Q8_0 => GgmlDType::Q8_0,
            Self::Q2K => GgmlDType::Q2K,
            Self::Q3K => GgmlDType::Q3K,
            Self::Q4K => GgmlDType::Q4K,
            Self::Q5K => GgmlDType::Q5K,
            Self::Q6K => GgmlDType::Q6K,
            Self::Mxfp4 => return None,
        })
    }

    /// The number of values in a block, and the number of bytes of a block.
    pub(super) fn block(self) -> (usize, usize) {
        self.dtype().map_or(MXFP4_BLOCK, |dtype| (dtype.block_size(), dtype.type_size()))
    }

    /// Converts the bytes of whole blocks to f32 and appends the values to `out`.
    pub(super) fn widen(self, bytes: &[u8], out: &mut Vec<f32>) {
        let Some(dtype) = self.dtype() else {
            return bytes.chunks_exact(MXFP4_BLOCK.1).for_each(|block| widen_mxfp4(block, out));
        };
        // candle casts the bytes to structures with two-byte numbers, and panics if the bytes are not
        // aligned.
        let mut aligned = vec![];
        let bytes = match bytes.as_ptr().align_offset(ALIGNMENT) {
            0 => bytes,
            _ => {
                aligned.resize(bytes.len() + ALIGNMENT, 0);
                let at = aligned.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
                aligned[at..at + bytes.len()].copy_from_slice(bytes);
                &aligned[at..at + bytes.len()]
            }
        };
        let (values, size) = self.block();
        let n = bytes.len() / size * values;
        match dtype.from_data(Cow::Borrowed(bytes)).dequantize(n) {
            Ok(CpuStorage::F32(block)) => out.extend(block),
            // This cannot happen: candle returns f32, and a truncated tensor is rejected when its entry is
            // created.
            _ => out.resize(out.len() + n, f32::NAN),
        }
    }
}

const ALIGNMENT: usize = 8;

/// The number of values in a block of MXFP4, and the number of bytes of a block: one for the scale, then one
/// for every two values.
const MXFP4_BLOCK: (usize, usize) = (32, 17);
/// The doubled values of the four-bit codes. A code has one bit of sign, two bits of exponent and one bit of
/// fraction.
const E2M1: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Appends the values of one block: first the values in the lower halves of the bytes, then the values in the
/// upper halves.
///
/// # References
/// OCP Microscaling Formats (MX) Specification v1.0.
fn widen_mxfp4(block: &[u8], out: &mut Vec<f32>) {
    let Some((exponent, pairs)) = block.split_first() else { return };
    let scale = mxfp4_scale(*exponent);
    out.extend(pairs.iter().map(|pair| mxfp4_value(scale, *pair)));
    out.extend(pairs.iter().map(|pair| mxfp4_value(scale, pair >> 4)));
}

/// Half of `2^(exponent - 127)`, because the values in `E2M1` are doubled. The two smallest results are
/// subnormal.
pub(super) fn mxfp4_scale(exponent: u8) -> f32 {
    match exponent {
        0 | 1 => f32::from_bits(0x0020_0000 << exponent),
        _ => f32::from_bits(u32::from(exponent - 1) << 23),
    }
}

/// The value of the lower four bits of `code`, with the scale of its block.
pub(super) fn mxfp4_value(scale: f32, code: u8) -> f32 {
    scale * f32::from(E2M1[usize::from(code & 0xf)])
}
