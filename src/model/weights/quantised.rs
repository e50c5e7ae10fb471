//! The quantised types: blocks of values that share a scale, most of them also a minimum.
//!
//! # References
//! The layouts are those of `ggml-common.h`; the arithmetic is candle's, which agrees with the `gguf` package
//! to the bit.

use std::borrow::Cow;

use candle_core::CpuStorage;
use candle_core::quantized::GgmlDType;

/// A quantised type that is read.
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
}

impl Quantised {
    /// Its name in ggml.
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
        }
    }

    fn dtype(self) -> GgmlDType {
        match self {
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
        }
    }

    /// The values of a block, and its bytes.
    pub(super) fn block(self) -> (usize, usize) {
        (self.dtype().block_size(), self.dtype().type_size())
    }

    /// Appends the values of whole blocks.
    pub(super) fn widen(self, bytes: &[u8], out: &mut Vec<f32>) {
        // The library reads the bytes as structures of two-byte numbers and panics where they are not
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
        match self.dtype().from_data(Cow::Borrowed(bytes)).dequantize(n) {
            Ok(CpuStorage::F32(block)) => out.extend(block),
            // The library gives f32 alone; a tensor that is too short is an error where it is made.
            _ => out.resize(out.len() + n, f32::NAN),
        }
    }
}

const ALIGNMENT: usize = 8;
