//! Defines the parameters of one block. Their layout is the same for all file formats: every linear map is
//! `(out, in)`.

use candle_core::{Device, Tensor};

use crate::error::Result;

/// A linear map: weight `(out, in)`, bias `(out)`.
#[derive(Debug, Clone)]
pub struct Linear {
    /// `(out, in)`, contiguous.
    pub weight: Tensor,
    /// `(out)`, if the architecture has a bias.
    pub bias: Option<Tensor>,
}

impl Linear {
    /// Splits a map whose outputs are concatenated, such as queries, keys and values, into maps with the
    /// given numbers of outputs.
    ///
    /// # Errors
    /// If the sizes add up to more than the number of outputs.
    pub fn split<const N: usize>(&self, sizes: [usize; N]) -> Result<[Self; N]> {
        let mut parts = Vec::with_capacity(N);
        let mut start = 0;
        for size in sizes {
            let bias = self.bias.as_ref().map(|bias| bias.narrow(0, start, size)).transpose()?;
            parts.push(Self { weight: self.weight.narrow(0, start, size)?, bias });
            start += size;
        }
        <[Self; N]>::try_from(parts).map_err(|_| {
            candle_core::Error::Msg("a fused projection cannot be split into the given sizes".into()).into()
        })
    }

    /// Splits a fused map into the maps of queries, keys and values. The outputs of the fused map are grouped
    /// by key head: each group consists of `group` query heads, one key head and one value head.
    ///
    /// # Errors
    /// If the number of outputs is not `n_kv_heads * (group + 2) * head_dim`.
    pub fn split_grouped(&self, n_kv_heads: usize, group: usize, head_dim: usize) -> Result<[Self; 3]> {
        let n_in = self.weight.dim(1)?;
        let part = |first: usize, heads: usize| -> Result<Self> {
            let take = |values: &Tensor, shape: &[usize]| {
                let by_head = values.reshape((n_kv_heads, group + 2, head_dim, ()))?;
                by_head.narrow(1, first, heads)?.contiguous()?.reshape(shape)
            };
            let n_out = n_kv_heads * heads * head_dim;
            let bias = self.bias.as_ref().map(|bias| take(bias, &[n_out])).transpose()?;
            Ok(Self { weight: take(&self.weight, &[n_out, n_in])?, bias })
        };
        Ok([part(0, group)?, part(group, 1)?, part(group + 1, 1)?])
    }

    pub(super) fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self { weight: self.weight.to_device(device)?, bias: moved(self.bias.as_ref(), device)? })
    }

    pub(super) fn n_params(&self) -> usize {
        self.weight.elem_count() + self.bias.as_ref().map_or(0, Tensor::elem_count)
    }
}

/// Weight `(d)` and bias `(d)` of a norm, if the norm has them.
#[derive(Debug, Clone)]
pub struct NormWeights {
    /// `(d)`
    pub weight: Option<Tensor>,
    /// `(d)`
    pub bias: Option<Tensor>,
}

impl NormWeights {
    pub(super) fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self { weight: moved(self.weight.as_ref(), device)?, bias: moved(self.bias.as_ref(), device)? })
    }

    pub(super) fn n_params(&self) -> usize {
        self.weight.iter().chain(&self.bias).map(Tensor::elem_count).sum()
    }
}

/// The norms of one branch of a block (attention or MLP).
#[derive(Debug, Clone)]
pub struct Norms {
    /// The first norm of the branch; its position depends on the `BlockForm`.
    pub norm: NormWeights,
    /// The norm of the branch's output in a sandwich block.
    pub post: Option<NormWeights>,
}

impl Norms {
    fn to_device(&self, device: &Device) -> Result<Self> {
        let post = self.post.as_ref().map(|norm| norm.to_device(device)).transpose()?;
        Ok(Self { norm: self.norm.to_device(device)?, post })
    }
}

pub(super) fn moved(tensor: Option<&Tensor>, device: &Device) -> Result<Option<Tensor>> {
    Ok(tensor.map(|tensor| tensor.to_device(device)).transpose()?)
}

/// The linear maps of attention.
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
    /// Query-key normalisation (QK norm): the norm of the queries and the norm of the keys.
    pub qk_norms: Option<[NormWeights; 2]>,
    /// Attention sinks, `(n_heads)`: one learned score per head that enters the softmax in addition to the
    /// scores of the keys.
    pub sinks: Option<Tensor>,
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

/// The maps of a mixture of experts.
#[derive(Debug, Clone)]
pub struct ExpertMaps {
    /// `d_model -> n_experts`
    pub router: Linear,
    /// `(n_experts)`, added to the router's scores when experts are chosen.
    pub choice_bias: Option<Tensor>,
    /// The experts.
    pub experts: Vec<Mlp>,
    /// The shared expert, which processes every token, and the map to its gate, `d_model -> 1`, if it has a
    /// gate.
    pub shared: Option<(Mlp, Option<Linear>)>,
}

/// The part of a block that processes each token separately.
#[derive(Debug, Clone)]
pub enum FeedForward {
    /// One MLP.
    Dense(Mlp),
    /// A mixture of experts.
    Mixture(ExpertMaps),
}

/// The parameters of one block.
#[derive(Debug, Clone)]
pub struct Block {
    /// Norms around attention.
    pub attention_norms: Norms,
    /// Maps of attention.
    pub attention: Attention,
    /// Norms around the MLP; absent if the MLP uses the norms of attention.
    pub mlp_norms: Option<Norms>,
    /// The MLP or the mixture of experts.
    pub mlp: FeedForward,
}

impl Mlp {
    fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            gate: self.gate.as_ref().map(|gate| gate.to_device(device)).transpose()?,
            up: self.up.to_device(device)?,
            down: self.down.to_device(device)?,
        })
    }

    fn n_params(&self) -> usize {
        [&self.up, &self.down].into_iter().chain(&self.gate).map(Linear::n_params).sum()
    }
}

impl FeedForward {
    fn to_device(&self, device: &Device) -> Result<Self> {
        let maps = match self {
            Self::Dense(mlp) => return Ok(Self::Dense(mlp.to_device(device)?)),
            Self::Mixture(maps) => maps,
        };
        let shared = |(mlp, gate): &(Mlp, Option<Linear>)| -> Result<_> {
            Ok((mlp.to_device(device)?, gate.as_ref().map(|gate| gate.to_device(device)).transpose()?))
        };
        Ok(Self::Mixture(ExpertMaps {
            router: maps.router.to_device(device)?,
            choice_bias: moved(maps.choice_bias.as_ref(), device)?,
            experts: maps.experts.iter().map(|expert| expert.to_device(device)).collect::<Result<_>>()?,
            shared: maps.shared.as_ref().map(shared).transpose()?,
        }))
    }

    fn n_params(&self) -> usize {
        match self {
            Self::Dense(mlp) => mlp.n_params(),
            Self::Mixture(ExpertMaps { router, choice_bias, experts, shared }) => {
                let shared = shared
                    .iter()
                    .map(|(mlp, gate)| mlp.n_params() + gate.as_ref().map_or(0, Linear::n_params));
                let choice_bias = choice_bias.as_ref().map_or(0, Tensor::elem_count);
                router.n_params()
                    + choice_bias
                    + experts.iter().map(Mlp::n_params).chain(shared).sum::<usize>()
            }
        }
    }
}

impl Block {
    pub(super) fn to_device(&self, device: &Device) -> Result<Self> {
        let attention = &self.attention;
        let qk_norms =
            |[a, b]: &[NormWeights; 2]| Ok::<_, crate::Error>([a.to_device(device)?, b.to_device(device)?]);
        Ok(Self {
            attention_norms: self.attention_norms.to_device(device)?,
            attention: Attention {
                query: attention.query.to_device(device)?,
                key: attention.key.to_device(device)?,
                value: attention.value.to_device(device)?,
                output: attention.output.to_device(device)?,
                qk_norms: attention.qk_norms.as_ref().map(qk_norms).transpose()?,
                sinks: moved(attention.sinks.as_ref(), device)?,
            },
            mlp_norms: self.mlp_norms.as_ref().map(|norms| norms.to_device(device)).transpose()?,
            mlp: self.mlp.to_device(device)?,
        })
    }

    pub(super) fn n_params(&self) -> usize {
        let attention = &self.attention;
        let maps = [&attention.query, &attention.key, &attention.value, &attention.output];
        let around = std::iter::once(&self.attention_norms).chain(&self.mlp_norms);
        let norms = around.flat_map(|norms| std::iter::once(&norms.norm).chain(&norms.post));
        maps.into_iter().map(Linear::n_params).sum::<usize>()
            + self.mlp.n_params()
            + attention.sinks.as_ref().map_or(0, Tensor::elem_count)
            + norms.chain(attention.qk_norms.iter().flatten()).map(NormWeights::n_params).sum::<usize>()
    }
}
