//! The type, shape and position of a tensor, from the header of its file.

use super::quantised::Quantised;

/// How the values of a tensor are stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StoredType {
    F32,
    F16,
    Bf16,
    F64,
    /// In blocks that share a scale (GGUF).
    Quantised(Quantised),
    /// Four bits each, with their scales elsewhere (see `mxfp4.rs`).
    Mxfp4 {
        scales_file: usize,
        scales_start: u64,
    },
    /// Another type, by its name: no weights.
    Other(String),
}

impl StoredType {
    /// The values that are stored together, and the bytes they take; `None` for a type that is no weights.
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

    /// Appends the values of whole blocks.
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
            // These are not in one place, or no values.
            Self::Mxfp4 { .. } | Self::Other(_) => {}
        }
    }
}

/// How the values of a tensor lie in its file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::model) enum Layout {
    /// As published: row after row.
    #[default]
    Published,
    /// A matrix column after column.
    Transposed,
    /// In `outer` groups of `a` times `b` pieces, which are published as `b` times `a`.
    Swapped {
        /// Groups.
        outer: usize,
        /// Pieces as they lie in the file: the slower of the two.
        a: usize,
        /// The faster.
        b: usize,
    },
    /// A list of values that is published as a matrix of one row.
    Row,
    /// Each value is one more than the published one (norms of Gemma in a GGUF file).
    PlusOne,
}

/// The position of a tensor's values within its file.
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

    /// The entry of some rows, given as the first and how many; `None` if there are no such rows.
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

    /// The entry with another layout; `None` if its shape has no such layout.
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
