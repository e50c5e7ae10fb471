//! Runs decoders. A decoder consists of an embedding, `L` blocks of attention and MLP that add to a residual
//! stream, a final norm, and a head. The [`Spec`] and the tensor names describe the differences between
//! published architectures; one forward pass computes all architectures.

use candle_core::Tensor;
use ndarray::ArrayView2;

use super::attention_form::AttentionForm;
use super::batch::Batch;
use super::block_parameters::{Block, FeedForward, Linear, NormWeights, Norms};
use super::blocks::Blocks;
use super::buffers;
use super::cache::{BlockCache, Cache};
use super::feed_forward;
use super::fused_ops::FusedCachedAttention;
use super::ops::{Angles, Ops};
use super::parameters::Parameters;
use super::spec::{BlockForm, Layer, QkNorm, Spec};
use super::table::Head;
use crate::error::{Error, Result};

/// A decoder with its parameters.
#[derive(Debug, Clone)]
pub struct Decoder {
    spec: Spec,
    parts: Parameters,
    ops: Ops,
}

impl Decoder {
    /// Combines parameters and spec. `Ops::Fused` is for measurements on the CPU, `Ops::Composed` for
    /// gradients and other devices.
    pub fn new(spec: Spec, parts: Parameters, ops: Ops) -> Self {
        Self { spec, parts, ops }
    }

    /// The sizes and settings of the decoder.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether blocks are read from the file when needed, because they do not all fit in memory.
    pub fn is_streamed(&self) -> bool {
        matches!(self.parts.blocks, Blocks::Streamed(_))
    }

    /// Number of parameters. Weights that the embedding and the head share count once.
    pub fn n_params(&self) -> usize {
        self.parts.n_params(self.spec.tied)
    }

    /// Runs the blocks over a batch of `n` tokens and passes each residual stream `h_0 .. h_L`, `(n,
    /// d_model)`, to `visit`. `h_L` is the stream before the final norm. Returns `h_L`.
    ///
    /// # Errors
    /// Returns the errors of `visit`, and failures of the tensor library (token or position out of range, out
    /// of memory).
    pub fn forward(
        &self,
        batch: &Batch,
        visit: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        self.run(batch, None, visit)
    }

    /// Runs the blocks over tokens that continue sequences (see [`Batch::decode_step`]) and returns `h_L` of
    /// these tokens. Works only on the CPU.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn advance(&self, batch: &Batch, cache: &mut Cache) -> Result<Tensor> {
        self.run(batch, Some(cache), &mut |_, _| Ok(()))
    }

    fn run(
        &self,
        batch: &Batch,
        cache: Option<&mut Cache>,
        visit: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let h = self.run_blocks(batch, cache, visit);
        buffers::clear();
        h
    }

    fn run_blocks(
        &self,
        batch: &Batch,
        mut cache: Option<&mut Cache>,
        visit: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let mut h = self.embed(batch)?;
        let ropes = self.spec.ropes.iter();
        let angles: Vec<Angles> =
            ropes.map(|rope| Ok(Angles::of(&batch.positions, rope, h.device())?)).collect::<Result<_>>()?;
        visit(0, &h)?;
        for (l, layer) in self.spec.layers.iter().enumerate() {
            let kept = cache.as_mut().map(|cache| &mut cache.blocks[l]);
            let block = self.parts.blocks.get(l)?;
            h = self.block(&h, &block, *layer, &angles, batch, kept)?;
            // Free the block before `visit`, which may wait.
            drop(block);
            visit(l + 1, &h)?;
        }
        Ok(h)
    }

    fn embed(&self, batch: &Batch) -> Result<Tensor> {
        let (spec, parts, n) = (&self.spec, &self.parts, batch.len());
        let device = parts.embedding.device();
        let mut h = parts.embedding.rows(&batch.ids)?;
        if spec.embedding_scale != 1.0 {
            h = (h * spec.embedding_scale)?;
        }
        if let Some(norm) = &parts.embedding_norm {
            h = self.norm(&h, norm)?;
        }
        if let Some([project_in, _]) = &parts.projections {
            h = self.ops.linear(&h, project_in)?;
        }
        if let (Some(table), Some(first)) = (&parts.positions, spec.learned_positions) {
            let rows: Vec<u32> = batch.positions.iter().map(|position| position + first as u32).collect();
            h = (h + table.index_select(&Tensor::from_vec(rows, n, device)?, 0)?)?;
        }
        Ok(h)
    }

    fn block(
        &self,
        h: &Tensor,
        block: &Block,
        layer: Layer,
        angles: &[Angles],
        batch: &Batch,
        kept: Option<&mut BlockCache>,
    ) -> Result<Tensor> {
        let x = self.branch_input(h, &block.attention_norms)?;
        let attended = self.attend(&x, block, layer, angles, batch, kept)?;
        let after = self.add_branch(h, &attended, &block.attention.output, &block.attention_norms)?;
        self.ops.reuse(&attended)?;
        let mlp_norms = block.mlp_norms.as_ref().unwrap_or(&block.attention_norms);
        let x = match self.spec.form {
            BlockForm::Parallel { shared_norm: true } => x,
            BlockForm::Parallel { shared_norm: false } => {
                self.reuse_input(&x)?;
                self.branch_input(h, mlp_norms)?
            }
            _ => {
                self.reuse_input(&x)?;
                self.branch_input(&after, mlp_norms)?
            }
        };
        let sum = match (&block.mlp, &self.spec.mixture) {
            (FeedForward::Mixture(maps), Some(mixture)) => {
                let branch = feed_forward::mixture(self.ops, self.spec.activation, mixture, maps, &x)?;
                self.add_output(&after, &branch, mlp_norms)
            }
            (FeedForward::Mixture(_), None) => {
                Err(candle_core::Error::Msg("the block has experts, but the spec has no mixture".into())
                    .into())
            }
            (FeedForward::Dense(mlp), _) => {
                let inner = feed_forward::inner(self.ops, self.spec.activation, mlp, &x)?;
                let sum = self.add_branch(&after, &inner, &mlp.down, mlp_norms);
                self.ops.reuse(&inner)?;
                sum
            }
        }?;
        self.reuse_input(&x)?;
        self.ops.reuse(&after)?;
        Ok(sum)
    }

    /// The input of a branch: the stream, normalised if the block form requires it.
    fn branch_input(&self, h: &Tensor, norms: &Norms) -> Result<Tensor> {
        if self.normalises_input() { self.norm(h, &norms.norm) } else { Ok(h.clone()) }
    }

    /// Whether branches read the normalised stream instead of the stream itself.
    fn normalises_input(&self) -> bool {
        match self.spec.form {
            BlockForm::Pre | BlockForm::Sandwich | BlockForm::Parallel { .. } => true,
            BlockForm::PostResidual | BlockForm::PostBranch => false,
        }
    }

    /// Makes the memory of a branch's input available again, unless the input is the stream itself, which is
    /// still needed.
    fn reuse_input(&self, x: &Tensor) -> Result<()> {
        if self.normalises_input() { Ok(self.ops.reuse(x)?) } else { Ok(()) }
    }

    /// Applies the last map of a branch, `map`, to `inner` and adds the output to the stream `h`.
    fn add_branch(&self, h: &Tensor, inner: &Tensor, map: &Linear, norms: &Norms) -> Result<Tensor> {
        let is_plain = !matches!(self.spec.form, BlockForm::Sandwich | BlockForm::PostBranch);
        if is_plain && self.spec.residual_scale == 1.0 {
            return self.after_branch(self.ops.linear_onto(h, inner, map)?, norms);
        }
        self.add_output(h, &self.ops.linear(inner, map)?, norms)
    }

    /// Adds the output of a branch to the stream `h`.
    fn add_output(&self, h: &Tensor, branch: &Tensor, norms: &Norms) -> Result<Tensor> {
        let on_branch = match self.spec.form {
            BlockForm::Sandwich => norms.post.as_ref(),
            BlockForm::PostBranch => Some(&norms.norm),
            BlockForm::Pre | BlockForm::PostResidual | BlockForm::Parallel { .. } => None,
        };
        let branch = on_branch.map_or_else(|| Ok(branch.clone()), |norm| self.norm(branch, norm))?;
        let scale = self.spec.residual_scale;
        self.after_branch((h + if scale == 1.0 { branch } else { (branch * scale)? })?, norms)
    }

    fn after_branch(&self, sum: Tensor, norms: &Norms) -> Result<Tensor> {
        if self.spec.form == BlockForm::PostResidual { self.norm(&sum, &norms.norm) } else { Ok(sum) }
    }

    /// The concatenated outputs of the heads, `(n, n_heads * head_dim)`.
    fn attend(
        &self,
        x: &Tensor,
        block: &Block,
        layer: Layer,
        angles: &[Angles],
        batch: &Batch,
        kept: Option<&mut BlockCache>,
    ) -> Result<Tensor> {
        let (spec, ops, maps) = (&self.spec, self.ops, &block.attention);
        let (mut q, mut k) = (ops.linear(x, &maps.query)?, ops.linear(x, &maps.key)?);
        let mut v = ops.linear(x, &maps.value)?;
        if let Some(clip) = spec.clip_qkv {
            (q, k, v) = (q.clamp(-clip, clip)?, k.clamp(-clip, clip)?, v.clamp(-clip, clip)?);
        }
        let is_late = spec.qk_norm_after_rope;
        if let Some([query_norm, key_norm]) = maps.qk_norms.as_ref().filter(|_| !is_late) {
            (q, k) = (self.norm_heads(&q, query_norm)?, self.norm_heads(&k, key_norm)?);
        }
        if let Some(angles) = layer.rope.map(|rope| &angles[rope]) {
            (q, k) = (ops.rotate(q, angles, spec.head_dim)?, ops.rotate(k, angles, spec.head_dim)?);
        }
        if let Some([query_norm, key_norm]) = maps.qk_norms.as_ref().filter(|_| is_late) {
            (q, k) = (self.norm_heads(&q, query_norm)?, self.norm_heads(&k, key_norm)?);
        }
        let form =
            AttentionForm { spec, window: layer.window, sinks: maps.sinks.as_ref().filter(|_| spec.sinks) };
        let Some(kept) = kept else {
            let attended = ops.attention(&q, &k, &v, batch, form)?;
            [q, k, v].iter().try_for_each(|x| ops.reuse(x))?;
            return Ok(attended);
        };
        kept.write(&batch.cache_rows, &k, &v)?;
        let (keys, values) = (&kept.keys, &kept.values);
        Ok(q.apply_op1_no_bwd(&FusedCachedAttention { keys, values, batch, form })?)
    }

    fn norm(&self, x: &Tensor, weights: &NormWeights) -> Result<Tensor> {
        Ok(self.ops.norm(x, self.spec.norm, weights)?)
    }

    /// Normalises queries or keys, `(n, heads * head_dim)`.
    fn norm_heads(&self, x: &Tensor, weights: &NormWeights) -> Result<Tensor> {
        let head_dim = self.spec.head_dim;
        match self.spec.qk_norm {
            Some(QkNorm::Full) => self.norm(x, weights),
            Some(QkNorm::EachHead) => {
                let plain = NormWeights { weight: None, bias: None };
                let normed = self.norm(&x.reshape(((), head_dim))?, &plain)?.reshape(x.shape())?;
                Ok(weights
                    .weight
                    .as_ref()
                    .map_or(Ok(normed.clone()), |weight| normed.broadcast_mul(weight))?)
            }
            _ => Ok(self.norm(&x.reshape(((), head_dim))?, weights)?.reshape(x.shape())?),
        }
    }

    /// Normalises residual streams after block `l`, `(n, d_model)`, as the next part of the model does: by
    /// the norm (with its weight) before attention in block `l + 1`, or by the final norm if `l = L`. If the
    /// model has no norm there, returns the streams unchanged.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn next_input(&self, l: usize, h: &Tensor) -> Result<Tensor> {
        match self.parts.blocks.attention_norms(l) {
            Some(norms) => self.branch_input(h, norms),
            None => self.head_norm(h),
        }
    }

    fn head_norm(&self, h: &Tensor) -> Result<Tensor> {
        self.parts.final_norm.as_ref().map_or(Ok(h.clone()), |norm| self.norm(h, norm))
    }

    /// The map to logits.
    ///
    /// # Errors
    /// [`Error::NoHead`] if the checkpoint contains no head.
    pub(super) fn head(&self) -> Result<&Head> {
        self.parts.head.as_ref().ok_or(Error::NoHead)
    }

    /// Logits `(n, vocab_size)` of residual streams `h_L`, `(n, d_model)`.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn logits(&self, h: &Tensor) -> Result<Tensor> {
        self.logits_by(h, self.head()?)
    }

    /// Logits `(n, tokens)` of the given tokens only, for residual streams `(n, d_model)` after any block:
    /// applies the final norm and the head (the logit lens).
    ///
    /// # Errors
    /// [`Error::NoHead`], and failures of the tensor library.
    ///
    /// # References
    /// nostalgebraist 2020, "interpreting GPT: the logit lens".
    pub fn logits_of(&self, h: &Tensor, tokens: &[u32]) -> Result<Tensor> {
        self.logits_by(h, &self.head()?.of_tokens(tokens)?)
    }

    fn logits_by(&self, h: &Tensor, head: &Head) -> Result<Tensor> {
        let mut x = self.head_norm(h)?;
        if let Some([_, project_out]) = &self.parts.projections {
            x = self.ops.linear(&x, project_out)?;
        }
        let mut logits = head.logits(self.ops, &x)?;
        if self.spec.logit_scale != 1.0 {
            logits = (logits * self.spec.logit_scale)?;
        }
        if let Some(cap) = self.spec.logit_softcap {
            logits = ((logits / cap)?.tanh()? * cap)?;
        }
        Ok(logits)
    }

    /// Scores the tokens that actually come next. `h` contains residual streams `h_L`, `(n, d_model)`, and
    /// `follow` contains the next token of each row. Returns, for each row, the log-probability of its next
    /// token in nats, and whether this token is the most likely one.
    ///
    /// # Errors
    /// Failures of the tensor library.
    pub fn next_tokens(
        &self,
        h: ArrayView2<'_, f32>,
        follow: impl IntoIterator<Item = u32>,
    ) -> Result<Vec<(f64, bool)>> {
        let values: Vec<f32> = h.iter().copied().collect();
        let device = self.parts.embedding.device();
        let logits = self.logits(&Tensor::from_vec(values, h.dim(), device)?)?.to_vec2::<f32>()?;
        let judge = |(row, id): (&Vec<f32>, u32)| {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let log_sum = f64::from(top) + row.iter().map(|x| f64::from(x - top).exp()).sum::<f64>().ln();
            let said = row[id as usize];
            // If several tokens have the largest logit, only the first one counts as the most likely, because
            // greedy decoding chooses it.
            let first = row.iter().position(|x| *x == top) == Some(id as usize);
            (f64::from(said) - log_sum, first)
        };
        Ok(logits.iter().zip(follow).map(judge).collect())
    }
}
