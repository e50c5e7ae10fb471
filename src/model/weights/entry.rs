//! Describes the type, shape and position of a tensor, according to the header of its file.

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
    /// Four bits per value. The scales are in another tensor (see `mxfp4.rs`).
    Mxfp4 {
        scales_file: usize,
        scales_start: u64,
    },
    /// The name of any other type. Tensors of such a type cannot be weights.
    Other(String),
}

impl StoredType {
    /// The number of values in a block, and the number of bytes of a block; `None` for types that cannot be
    /// weights.
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

    /// Converts the bytes of whole blocks to f32 and appends the values to `out`.
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
            // MXFP4 needs the scales (see `mxfp4.rs`), and other types cannot be weights.
            Self::Mxfp4 { .. } | Self::Other(_) => {}
        }
    }
}

/// The layout of a tensor's values in its file. The published layout is the layout of the published
/// safetensors files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::model) enum Layout {
    /// The published layout: row by row.
    #[default]
    Published,
    /// A matrix in column-major order.
    Transposed,
    /// `outer` groups of `a x b` pieces. In the published layout, a group has `b x a` pieces.
    Swapped {
        /// Number of groups.
        outer: usize,
        /// Slow dimension in the file.
        a: usize,
        /// Fast dimension in the file.
        b: usize,
    },
    /// A vector, which is a matrix with one row in the published layout.
    Row,
    /// The values are the published values plus 1 (norms of Gemma in a GGUF file).
    PlusOne,
}

/// Position and layout of a tensor's values in its file.
#[derive(Debug, Clone)]
pub(super) struct TensorEntry {
    pub(super) file: usize,
    pub(super) stored: StoredType,
    /// The shape in the published layout.
    pub(super) shape: Vec<usize>,
    pub(super) start: u64,
    pub(super) layout: Layout,
}

impl TensorEntry {
    /// Number of values.
    pub(super) fn n_values(&self) -> usize {
        self.shape.iter().product()
    }

    /// The entry of some rows: `rows` is the first row and the number of rows, or `None` for all rows.
    /// Returns `None` if the rows do not exist, or if a row is not a whole number of blocks.
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

    /// The same entry with another layout; `None` if the shape does not permit this layout.
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
