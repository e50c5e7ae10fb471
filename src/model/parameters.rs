//! Holds all parameters of a decoder.

use candle_core::{Device, Tensor};

use super::block_parameters::{Linear, NormWeights, moved};
use super::blocks::Blocks;
use super::table::{Head, Table};
use crate::error::Result;

/// All parameters. The blocks and the vocabulary tables are either in memory or read when needed. The other
/// parameters are small and always in memory.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// `(vocab_size, d_embedding)`
    pub embedding: Table,
    /// The norm of the embedding.
    pub embedding_norm: Option<NormWeights>,
    /// The maps `d_embedding -> d_model` and `d_model -> d_embedding`, if the widths differ.
    pub projections: Option<[Linear; 2]>,
    /// `(rows, d_model)`, if positions are learned.
    pub positions: Option<Tensor>,
    /// All blocks.
    pub blocks: Blocks,
    /// Norm before the head.
    pub final_norm: Option<NormWeights>,
    /// `d_embedding -> vocab_size`. The head of a tied model is the embedding. Absent if the checkpoint
    /// contains no head.
    pub head: Option<Head>,
}

impl Parameters {
    /// Moves the parameters from the CPU to `device`. Makes no copy if `device` is the CPU.
    ///
    /// # Errors
    /// If the parameters do not fit on the device, or if some of them are not in memory.
    pub fn to_device(self, device: &Device) -> Result<Self> {
        if device.is_cpu() {
            return Ok(self);
        }
        let norm = |norm: &Option<NormWeights>| norm.as_ref().map(|norm| norm.to_device(device)).transpose();
        let projections =
            |[a, b]: &[Linear; 2]| Ok::<_, crate::Error>([a.to_device(device)?, b.to_device(device)?]);
        let embedding = self.embedding.to_device(device)?;
        // On the new device, a tied head must share the table of the embedding again.
        let head = |head: &Head| -> Result<Head> {
            let tied = head.table.is_same(&self.embedding);
            let table = if tied { embedding.clone() } else { head.table.to_device(device)? };
            Ok(Head { table, bias: moved(head.bias.as_ref(), device)? })
        };
        Ok(Self {
            embedding_norm: norm(&self.embedding_norm)?,
            projections: self.projections.as_ref().map(projections).transpose()?,
            positions: moved(self.positions.as_ref(), device)?,
            blocks: self.blocks.to_device(device)?,
            final_norm: norm(&self.final_norm)?,
            head: self.head.as_ref().map(head).transpose()?,
            embedding,
        })
    }

    /// Number of parameters. Weights that the embedding and the head share count once.
    pub fn n_params(&self, tied: bool) -> usize {
        let norms = self.embedding_norm.iter().chain(&self.final_norm).map(NormWeights::n_params);
        let projections = self.projections.iter().flatten().map(Linear::n_params);
        let positions = self.positions.as_ref().map_or(0, Tensor::elem_count);
        let head = self.head.as_ref().map_or(0, Head::n_params);
        let head = if tied { head - self.embedding.n_params() } else { head };
        let around = norms.chain(projections).sum::<usize>() + positions + self.embedding.n_params();
        self.blocks.n_params() + around + head
    }
}
