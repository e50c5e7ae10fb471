//! Describes the type, shape and position of a tensor, as given in the header of its file.

use super::quantised::Quantised;

/// How the values of a tensor are stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StoredType {
    F32,
    F16,
    Bf16,
    F64,
    /// Blocks of values that share a scale (GGUF).
    Quantised(Quantised),
    /// Four bits per value, with scales in another tensor (see `mxfp4.rs`).
    Mxfp4 {
        scales_file: usize,
        scales_start: u64,
    },
    /// Name of another type, which cannot be weights.
    Other(String),
}

impl StoredType {
    /// The number of values in a block, and its bytes; `None` for a type that is not a weight type.
    pub(super) fn block(&self) -> Option<(usize, usize)> {
        match self {
            Self::F32 => Some((1, 4)),
            Self::F16 | Self::Bf16 => Some((1, 2)),
            Self::F64 => Some((1, 8)),
            Self::Quantised(quantised) => Some(quantised.block()),
            Self::Mxfp4 { .. } => Some((2, 1)),
            Self::Other(_) => None,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::F64 => "F64",
            Self::Quantised(quantised) => quantised.name(),
            Self::Mxfp4 { .. } => "MXFP4",
            Self::Other(name) => name,
        }
    }

    /// Appends the values of whole blocks, as f32.
    pub(super) fn widen(&self, bytes: &[u8], out: &mut Vec<f32>) {
        match self {
            Self::F32 => {
                out.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
            }
            Self::F16 => {
                out.extend(bytes.chunks_exact(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()));
            }
            Self::Bf16 => {
                out.extend(bytes.chunks_exact(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()));
            }
            Self::F64 => {
                let wide = |b: &[u8]| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
                out.extend(bytes.chunks_exact(8).map(|b| wide(b) as f32));
            }
            Self::Quantised(quantised) => quantised.widen(bytes, out),
            // MXFP4 values need their scales, and other types have no values.
            Self::Mxfp4 { .. } | Self::Other(_) => {}
        }
    }
}

/// The layout of a tensor's values in its file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::model) enum Layout {
    /// As published: row by row.
    #[default]
    Published,
    /// A matrix in column-major order.
    Transposed,
    /// `outer` groups of `a` times `b` pieces; the published order is `b` times `a`.
    Swapped {
        /// Number of groups.
        outer: usize,
        /// Slow dimension in the file.
        a: usize,
        /// Fast dimension in the file.
        b: usize,
    },
    /// A list of values that is published as a matrix with one row.
    Row,
    /// Published values plus 1 (norms of Gemma in a GGUF file).
    PlusOne,
}

/// Position and layout of a tensor's values in its file.
#[derive(Debug, Clone)]
pub(super) struct TensorEntry {
    pub(super) file: usize,
    pub(super) stored: StoredType,
    /// The published shape.
    pub(super) shape: Vec<usize>,
    pub(super) start: u64,
    pub(super) layout: Layout,
}

impl TensorEntry {
    /// Number of values.
    pub(super) fn n_values(&self) -> usize {
        self.shape.iter().product()
    }

    /// The entry of some rows, given as the first row and their number; `None` if the rows do not exist.
    pub(super) fn with_rows(&self, rows: Option<[usize; 2]>) -> Option<Self> {
        let Some([first, n]) = rows else { return Some(self.clone()) };
        let (values, bytes) = self.stored.block()?;
        let (all, rest) = self.shape.split_first()?;
        let row: usize = rest.iter().product();
        if first.checked_add(n)? > *all || !row.is_multiple_of(values) {
            return None;
        }
        let start = self.start + (first * row / values * bytes) as u64;
        let shape = std::iter::once(n).chain(rest.iter().copied()).collect();
        Some(Self { shape, start, ..self.clone() })
    }

    /// The entry with another layout; `None` if the layout does not fit the shape.
    pub(super) fn with_layout(&self, layout: Layout) -> Option<Self> {
        let shape = match (layout, self.shape.as_slice()) {
            (Layout::Transposed, [rows, columns]) => vec![*columns, *rows],
            (Layout::Transposed, _) => return None,
            (Layout::Swapped { outer, a, b }, [rows, ..]) => {
                let pieces = outer.checked_mul(a)?.checked_mul(b)?;
                if pieces == 0 || !rows.is_multiple_of(pieces) {
                    return None;
                }
                self.shape.clone()
            }
            (Layout::Swapped { .. }, []) => return None,
            (Layout::Row, [n]) => vec![1, *n],
            (Layout::Row, [1, n]) => vec![1, *n],
            (Layout::Row, _) => return None,
            (Layout::Published | Layout::PlusOne, shape) => shape.to_vec(),
        };
        Some(Self { shape, layout, ..self.clone() })
    }
}
