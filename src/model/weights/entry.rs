//! The type, shape and position of a tensor, from the header of its file.

/// How the values of a tensor are stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StoredType {
    F32,
    F16,
    Bf16,
    F64,
    /// Another type, by its name: no weights.
    Other(String),
}

impl StoredType {
    pub(super) fn size(&self) -> Option<usize> {
        match self {
            Self::F32 => Some(4),
            Self::F16 | Self::Bf16 => Some(2),
            Self::F64 => Some(8),
            Self::Other(_) => None,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::F64 => "F64",
            Self::Other(name) => name,
        }
    }

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
            Self::Other(_) => {}
        }
    }
}

/// The position of a tensor's values within its file: dense, row after row.
#[derive(Debug, Clone)]
pub(super) struct TensorEntry {
    pub(super) file: usize,
    pub(super) stored: StoredType,
    pub(super) shape: Vec<usize>,
    pub(super) start: u64,
    /// A matrix that lies column after column.
    pub(super) transposed: bool,
}
