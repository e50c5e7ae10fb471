//! The one decoder: embedding, `L` blocks of attention and MLP around a residual stream, final norm, head. What differs between
//! published architectures is in [`Spec`] and in where their tensors are; there is no second forward pass.

use candle_core::{Device, Tensor};
use ndarray::ArrayView2;

use super::batch::Batch;
use super::ops::{Ops, rotary_table};
use super::spec::{Positions, Spec};
use crate::error::Result;

/// A linear map: weight `(out, in)`, bias `(out)`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `(out, in)`, contiguous.
    pub weight: Tensor,
    /// `(out)`, where the architecture has one.
    pub bias: Option<Tensor>,
}

impl Linear {
    /// Cuts a map whose outputs are concatenated into its parts.
    ///
    /// # Errors
    /// If the sizes do not add up to the outputs.
    pub fn split<const N: usize>(&self, sizes: [usize; N]) -> Result<[Self; N]> {
        let mut parts = Vec::with_capacity(N);
        let mut start = 0;
        for size in sizes {
            let bias = self.bias.as_ref().map(|bias| bias.narrow(0, start, size)).transpose()?;
            parts.push(Self { weight: self.weight.narrow(0, start, size)?, bias });
            start += size;
        }
        <[Self; N]>::try_from(parts)
            .map_err(|_| candle_core::Error::Msg("a fused projection does not split as its sizes say".into()).into())
    }

    fn n_params(&self) -> usize {
        self.weight.elem_count() + self.bias.as_ref().map_or(0, Tensor::elem_count)
    }
}

/// Weight `(d)` and bias `(d)` of a norm.
#[derive(Debug, Clone)]
pub struct NormWeights {
    /// `(d)`
    pub weight: Tensor,
    /// `(d)`, layer norm only.
    pub bias: Option<Tensor>,
}

/// The maps of an MLP: `down(activation(gate) * up)`, or `down(activation(up))` without a gate.
#[derive(Debug, Clone)]
pub struct Mlp {
    /// `d_model -> d_mlp`
    pub gate: Option<Linear>,
    /// `d_model -> d_mlp`
    pub up: Linear,
    /// `d_mlp -> d_model`
    pub down: Linear,
}

/// The parameters of one block.
#[derive(Debug, Clone)]
pub struct Block {
    /// Before attention.
    pub attention_norm: NormWeights,
    /// `d_model -> n_heads * head_dim`
    pub query: Linear,
    /// `d_model -> n_kv_heads * head_dim`
    pub key: Linear,
    /// `d_model -> n_kv_heads * head_dim`
    pub value: Linear,
    /// `n_heads * head_dim -> d_model`
    pub output: Linear,
    /// Before the MLP.
    pub mlp_norm: NormWeights,
    /// The MLP.
    pub mlp: Mlp,
}

/// All parameters, laid out as the decoder wants them.
#[derive(Debug, Clone)]
pub struct Parts {
    /// `(vocab_size, d_model)`
    pub embedding: Tensor,
    /// `(max_positions, d_model)`, where positions are learned.
    pub positions: Option<Tensor>,
    /// Block 1 to L.
    pub blocks: Vec<Block>,
    /// Before the head.
    pub final_norm: NormWeights,
    /// `d_model -> vocab_size`; the embedding itself where tied.
    pub head: Linear,
}

/// A decoder ready to run.
#[derive(Debug, Clone)]
pub struct Decoder {
    spec: Spec,
    parts: Parts,
    ops: Ops,
}

impl Decoder {
    /// Puts parameters and spec together. `Ops::Fused` is for measuring on the CPU, `Ops::Composed` for gradients and other devices.
    pub fn new(spec: Spec, parts: Parts, ops: Ops) -> Self {
        Self { spec, parts, ops }
    }

    /// What this decoder is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Number of parameters; a tied head counts once.
    pub fn n_params(&self) -> usize {
        let norm = |n: &NormWeights| n.weight.elem_count() + n.bias.as_ref().map_or(0, Tensor::elem_count);
        let blocks: usize = self
            .parts
            .blocks
            .iter()
            .map(|b| {
                let maps = [
                    Some(&b.query),
                    Some(&b.key),
                    Some(&b.value),
                    Some(&b.output),
                    b.mlp.gate.as_ref(),
                    Some(&b.mlp.up),
                    Some(&b.mlp.down),
                ];
                maps.into_iter().flatten().map(Linear::n_params).sum::<usize>()
                    + norm(&b.attention_norm)
                    + norm(&b.mlp_norm)
            })
            .sum();
        let head = if self.spec.tied { 0 } else { self.parts.head.n_params() };
        let positions = self.parts.positions.as_ref().map_or(0, Tensor::elem_count);
        self.parts.embedding.elem_count() + positions + blocks + norm(&self.parts.final_norm) + head
    }

    /// Runs the blocks over a batch of `n` tokens and hands each residual stream `h_0 .. h_L`, `(n, d_model)`, to `see`, before the final
    /// norm. Returns `h_L`.
    ///
    /// # Errors
    /// What `see` returns, and failures of the tensor library (token or position out of range, memory).
    pub fn forward(&self, batch: &Batch, see: &mut dyn FnMut(usize, &Tensor) -> Result<()>) -> Result<Tensor> {
        let (spec, ops, n) = (&self.spec, self.ops, batch.len());
        let ids = Tensor::from_slice(&batch.ids, n, &Device::Cpu)?;
        let mut h = self.parts.embedding.index_select(&ids, 0)?;
        if let Some(positions) = &self.parts.positions {
            h = (h + positions.index_select(&Tensor::from_slice(&batch.positions, n, &Device::Cpu)?, 0)?)?;
        }
        let angles = match &spec.positions {
            Positions::Learned => None,
            Positions::Rotary { inv_freq } => Some(rotary_table(&batch.positions, inv_freq, h.device())?),
        };
        see(0, &h)?;
        for (l, block) in self.parts.blocks.iter().enumerate() {
            let x = ops.norm(&h, spec.norm, &block.attention_norm)?;
            let (mut q, mut k) = (ops.linear(&x, &block.query)?, ops.linear(&x, &block.key)?);
            let v = ops.linear(&x, &block.value)?;
            if let Some((cos, sin)) = &angles {
                q = ops.rotate(&q, cos, sin)?;
                k = ops.rotate(&k, cos, sin)?;
            }
            let attended = ops.attention(&q, &k, &v, batch, spec)?;
            h = ops.linear_onto(&h, &attended, &block.output)?;
            let x = ops.norm(&h, spec.norm, &block.mlp_norm)?;
            let gate = block.mlp.gate.as_ref().map(|gate| ops.linear(&x, gate)).transpose()?;
            let up = ops.linear(&x, &block.mlp.up)?;
            let inner = ops.activate(spec.activation, gate.as_ref(), &up)?;
            h = ops.linear_onto(&h, &inner, &block.mlp.down)?;
            see(l + 1, &h)?;
        }
        Ok(h)
    }

    /// Logits `(n, vocab_size)` of last residual streams `(n, d_model)`.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn logits(&self, h: &Tensor) -> Result<Tensor> {
        let x = self.ops.norm(h, self.spec.norm, &self.parts.final_norm)?;
        Ok(self.ops.linear(&x, &self.parts.head)?)
    }

    /// For each last residual stream of `h`, `(n, d_model)`: the log-probability in nats of the token that is said to follow, and whether it is the
    /// most likely one.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn next_tokens(
        &self,
        h: ArrayView2<'_, f32>,
        follow: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<(f64, bool)>> {
        let values: Vec<f32> = h.iter().copied().collect();
        let logits = self.logits(&Tensor::from_vec(values, h.dim(), &Device::Cpu)?)?.to_vec2::<f32>()?;
        let judge = |(row, id): (&Vec<f32>, u32)| {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let log_sum = f64::from(top) + row.iter().map(|x| f64::from(x - top).exp()).sum::<f64>().ln();
            let said = row[id as usize];
            // A tie is no answer: greedy decoding would take the first of the tied tokens.
            let first = row.iter().position(|x| *x == top) == Some(id as usize);
            (f64::from(said) - log_sum, first)
        };
        Ok(logits.iter().zip(follow).map(judge).collect())
    }
}
