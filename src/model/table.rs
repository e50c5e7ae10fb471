//! Keeps the vocabulary tables (embedding and head) in memory, or reads their rows from storage when needed.
//! These tables are the largest matrices of small models.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use candle_core::{Device, Tensor};

use super::block_parameters::Linear;
use super::ops::Ops;
use crate::error::Result;

/// Maximum number of values of a table that are read at once: 16 MiB of f32.
pub(super) const PIECE_VALUES: usize = 1 << 22;

/// A matrix whose rows are read from storage.
pub trait StoredRows: Send + Sync {
    /// Number of rows, and their width.
    fn dims(&self) -> [usize; 2];
    /// The concatenated values of some rows.
    ///
    /// # Errors
    /// If the rows cannot be read.
    fn rows(&self, rows: Range<usize>) -> Result<Vec<f32>>;
}

/// A matrix with one row per token.
#[derive(Clone)]
pub enum Table {
    /// `(vocab_size, width)`, contiguous.
    Loaded(Tensor),
    /// Rows that are read when needed. The device is the CPU.
    Stored(Arc<dyn StoredRows>),
}

/// The map to logits: a table with one row per token, and a bias if the architecture has one.
#[derive(Debug, Clone)]
pub struct Head {
    /// `(vocab_size, d_embedding)`
    pub table: Table,
    /// `(vocab_size)`
    pub bias: Option<Tensor>,
}

impl Table {
    /// The device of the table.
    pub fn device(&self) -> &Device {
        match self {
            Self::Loaded(tensor) => tensor.device(),
            Self::Stored(_) => &Device::Cpu,
        }
    }

    /// Number of values.
    pub fn n_params(&self) -> usize {
        match self {
            Self::Loaded(tensor) => tensor.elem_count(),
            Self::Stored(stored) => stored.dims().iter().product(),
        }
    }

    /// The rows of some tokens, `(tokens, width)`.
    ///
    /// # Errors
    /// If a row does not exist or cannot be read.
    pub fn rows(&self, tokens: &[u32]) -> Result<Tensor> {
        match self {
            Self::Loaded(tensor) => {
                let tokens = Tensor::from_slice(tokens, tokens.len(), tensor.device())?;
                Ok(tensor.index_select(&tokens, 0)?)
            }
            Self::Stored(stored) => {
                let [n, width] = stored.dims();
                let mut values = Vec::with_capacity(tokens.len() * width);
                for token in tokens.iter().map(|token| *token as usize) {
                    if token >= n {
                        let reason = format!("token {token} is outside a table of {n} rows");
                        return Err(candle_core::Error::Msg(reason).into());
                    }
                    values.extend(stored.rows(token..token + 1)?);
                }
                Ok(Tensor::from_vec(values, (tokens.len(), width), &Device::Cpu)?)
            }
        }
    }

    /// `x W^T + b`: `(n, width) -> (n, rows)`. The result is bit-identical for loaded and stored tables.
    fn map(&self, ops: Ops, x: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let bias_of = |rows: Range<usize>| bias.map(|bias| bias.narrow(0, rows.start, rows.len()));
        match self {
            Self::Loaded(weight) => {
                Ok(ops.linear(x, &Linear { weight: weight.clone(), bias: bias.cloned() })?)
            }
            Self::Stored(stored) => {
                let [_, width] = stored.dims();
                let mut parts = vec![];
                for rows in pieces(stored.dims()) {
                    let weight =
                        Tensor::from_vec(stored.rows(rows.clone())?, (rows.len(), width), &Device::Cpu)?;
                    parts.push(ops.linear(x, &Linear { weight, bias: bias_of(rows).transpose()? })?);
                }
                Ok(Tensor::cat(&parts, 1)?)
            }
        }
    }

    /// Whether both values refer to the same table.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Loaded(a), Self::Loaded(b)) => a.id() == b.id(),
            (Self::Stored(a), Self::Stored(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    pub(super) fn to_device(&self, device: &Device) -> Result<Self> {
        match self {
            Self::Loaded(tensor) => Ok(Self::Loaded(tensor.to_device(device)?)),
            Self::Stored(_) => {
                let reason = "a table that is read when needed can be used only on the CPU";
                Err(candle_core::Error::Msg(reason.into()).into())
            }
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loaded(tensor) => write!(f, "Loaded({:?})", tensor.dims()),
            Self::Stored(stored) => write!(f, "Stored({:?})", stored.dims()),
        }
    }
}

impl Head {
    /// Logits `(n, vocab_size)` of normalised states `(n, d_embedding)`.
    pub(super) fn logits(&self, ops: Ops, x: &Tensor) -> Result<Tensor> {
        self.table.map(ops, x, self.bias.as_ref())
    }

    /// The head restricted to some tokens.
    pub(super) fn of_tokens(&self, tokens: &[u32]) -> Result<Self> {
        let index = Tensor::from_slice(tokens, tokens.len(), self.table.device())?;
        let bias = self.bias.as_ref().map(|bias| bias.index_select(&index, 0)).transpose()?;
        Ok(Self { table: Table::Loaded(self.table.rows(tokens)?), bias })
    }

    pub(super) fn n_params(&self) -> usize {
        self.table.n_params() + self.bias.as_ref().map_or(0, Tensor::elem_count)
    }
}

/// Splits a table into ranges of rows, each with at most [`PIECE_VALUES`] values.
pub(super) fn pieces([n, width]: [usize; 2]) -> impl Iterator<Item = Range<usize>> {
    let step = (PIECE_VALUES / width.max(1)).max(1);
    (0..n).step_by(step).map(move |first| first..n.min(first + step))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stored table in which every value is a function of its index.
    struct Wave([usize; 2]);

    impl StoredRows for Wave {
        fn dims(&self) -> [usize; 2] {
            self.0
        }

        fn rows(&self, rows: Range<usize>) -> Result<Vec<f32>> {
            let width = self.0[1];
            Ok((rows.start * width..rows.end * width).map(|i| (i as f32 * 0.37).sin()).collect())
        }
    }

    #[test]
    fn a_table_in_pieces_gives_the_bits_of_a_whole_one() {
        // The table has three pieces, and the last piece is shorter than the other two.
        let dims = [20_000, 512];
        assert_eq!(pieces(dims).count(), 3);
        let stored = Table::Stored(Arc::new(Wave(dims)));
        let values = Wave(dims).rows(0..dims[0]).expect("values");
        let loaded =
            Table::Loaded(Tensor::from_vec(values, (dims[0], dims[1]), &Device::Cpu).expect("a tensor"));
        let bits = |tensor: Tensor| -> Vec<u32> {
            let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).expect("f32");
            values.into_iter().map(f32::to_bits).collect()
        };
        let bias = Tensor::arange(0_f32, dims[0] as f32, &Device::Cpu).expect("a bias");
        for n in [1, 7, 64] {
            let x: Vec<f32> = (0..n * dims[1]).map(|i| (i as f32 * 0.71).cos()).collect();
            let x = Tensor::from_vec(x, (n, dims[1]), &Device::Cpu).expect("states");
            for bias in [None, Some(&bias)] {
                let [a, b] =
                    [&loaded, &stored].map(|table| bits(table.map(Ops::Fused, &x, bias).expect("logits")));
                assert!(a == b, "{n} rows");
            }
        }
        let some = [19_999, 0, 3, 3, 8_192];
        assert_eq!(bits(loaded.rows(&some).expect("rows")), bits(stored.rows(&some).expect("rows")));
        assert!(stored.rows(&[20_000]).is_err() && loaded.rows(&[20_000]).is_err());
    }
}
