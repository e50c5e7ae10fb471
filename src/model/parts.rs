//! The parameters of a decoder, laid out as it wants them whatever the published file looked like: every linear map is `(out, in)`.

use candle_core::Tensor;

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

    /// Takes a map apart whose outputs are, head after head, `N` parts of `head_dim` values.
    ///
    /// # Errors
    /// If the outputs are not `n_heads * N * head_dim`.
    pub fn split_per_head<const N: usize>(&self, n_heads: usize, head_dim: usize) -> Result<[Self; N]> {
        let take = |values: &Tensor, part: usize, shape: &[usize]| {
            values.reshape((n_heads, N, head_dim, ()))?.narrow(1, part, 1)?.contiguous()?.reshape(shape)
        };
        let (n_out, n_in) = (n_heads * head_dim, self.weight.dim(1)?);
        let mut parts = Vec::with_capacity(N);
        for part in 0..N {
            let bias = self.bias.as_ref().map(|bias| take(bias, part, &[n_out])).transpose()?;
            parts.push(Self { weight: take(&self.weight, part, &[n_out, n_in])?, bias });
        }
        <[Self; N]>::try_from(parts)
            .map_err(|_| candle_core::Error::Msg("a fused projection does not split by heads".into()).into())
    }

    fn n_params(&self) -> usize {
        self.weight.elem_count() + self.bias.as_ref().map_or(0, Tensor::elem_count)
    }
}

/// Weight `(d)` and bias `(d)` of a norm, each where the norm has one.
#[derive(Debug, Clone)]
pub struct NormWeights {
    /// `(d)`
    pub weight: Option<Tensor>,
    /// `(d)`
    pub bias: Option<Tensor>,
}

impl NormWeights {
    fn n_params(&self) -> usize {
        self.weight.iter().chain(&self.bias).map(Tensor::elem_count).sum()
    }
}

/// The norms around a branch of a block.
#[derive(Debug, Clone)]
pub struct Norms {
    /// The branch's norm; the form of the block says where it stands.
    pub norm: NormWeights,
    /// The second one of a sandwich.
    pub post: Option<NormWeights>,
}

/// The maps of attention.
#[derive(Debug, Clone)]
pub struct Attention {
    /// `d_model -> n_heads * head_dim`
    pub query: Linear,
    /// `d_model -> n_kv_heads * head_dim`
    pub key: Linear,
    /// `d_model -> n_kv_heads * head_dim`
    pub value: Linear,
    /// `n_heads * head_dim -> d_model`
    pub output: Linear,
    /// Norms of queries and keys.
    pub qk_norms: Option<[NormWeights; 2]>,
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
    /// Around attention.
    pub attention_norms: Norms,
    /// Attention.
    pub attention: Attention,
    /// Around the MLP; absent where it reads through attention's norm.
    pub mlp_norms: Option<Norms>,
    /// The MLP.
    pub mlp: Mlp,
}

/// All parameters.
#[derive(Debug, Clone)]
pub struct Parts {
    /// `(vocab_size, d_embedding)`
    pub embedding: Tensor,
    /// Of the embedding.
    pub embedding_norm: Option<NormWeights>,
    /// `d_embedding -> d_model` and back, where they differ.
    pub projections: Option<[Linear; 2]>,
    /// `(rows, d_model)`, where positions are learned.
    pub positions: Option<Tensor>,
    /// Block 1 to L.
    pub blocks: Vec<Block>,
    /// Before the head.
    pub final_norm: Option<NormWeights>,
    /// `d_embedding -> vocab_size`; the embedding itself where tied.
    pub head: Linear,
}

impl Parts {
    /// Number of parameters; a tied head counts once.
    pub fn n_params(&self, tied: bool) -> usize {
        let blocks: usize = self.blocks.iter().map(Block::n_params).sum();
        let norms = self.embedding_norm.iter().chain(&self.final_norm).map(NormWeights::n_params);
        let projections = self.projections.iter().flatten().map(Linear::n_params);
        let tables = std::iter::once(&self.embedding).chain(&self.positions).map(Tensor::elem_count);
        let head = if tied { self.head.n_params() - self.embedding.elem_count() } else { self.head.n_params() };
        blocks + norms.chain(projections).chain(tables).sum::<usize>() + head
    }
}

impl Block {
    fn n_params(&self) -> usize {
        let (attention, mlp) = (&self.attention, &self.mlp);
        let maps = [&attention.query, &attention.key, &attention.value, &attention.output, &mlp.up, &mlp.down];
        let around = std::iter::once(&self.attention_norms).chain(&self.mlp_norms);
        let norms = around.flat_map(|norms| std::iter::once(&norms.norm).chain(&norms.post));
        maps.into_iter().chain(&mlp.gate).map(Linear::n_params).sum::<usize>()
            + norms.chain(attention.qk_norms.iter().flatten()).map(NormWeights::n_params).sum::<usize>()
    }
}
