//! What published files call their tensors, and how they lay them out. One table for each architecture; one
//! function turns any of them into [`Parts`].

use rayon::prelude::*;

use crate::error::Result;
use crate::model::parts::{Attention, Block, Linear, Mlp, NormWeights, Norms, Parts};
use crate::model::spec::{Form, Norm, QkNorm, Spec};
use crate::model::weights::{Init, Source};

/// Where queries, keys and values are.
#[derive(Debug, Clone, Copy)]
pub enum Qkv {
    /// In three tensors.
    Split([&'static str; 3]),
    /// In one: all queries, all keys, all values.
    Concat(&'static str),
    /// In one: query, key and value of the first head, of the second ...
    PerHead(&'static str),
}

/// Where the maps into an MLP are. A spec without gate has no use for a gate's name.
#[derive(Debug, Clone, Copy)]
pub enum MlpIn {
    /// Gate and up in two tensors.
    Split {
        /// Name of the gate.
        gate: &'static str,
        /// Name of the other.
        up: &'static str,
    },
    /// In one: gate, then up.
    Concat(&'static str),
}

/// A tensor-name table. Names stand without `.weight` and `.bias`; those within a block without `blocks` and
/// number.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    /// What stands before every name but the head's, in the spellings that are published; the one that fits
    /// is found by the embedding.
    pub prefixes: &'static [&'static str],
    /// The embedding.
    pub embedding: &'static str,
    /// Its norm.
    pub embedding_norm: &'static str,
    /// Its maps to the residual stream and back.
    pub projections: [&'static str; 2],
    /// Learned positions.
    pub positions: &'static str,
    /// The list of blocks.
    pub blocks: &'static str,
    /// Norm of attention.
    pub attention_norm: &'static str,
    /// Its second norm in a sandwich.
    pub attention_post_norm: &'static str,
    /// Queries, keys and values.
    pub qkv: Qkv,
    /// Norms of queries and keys.
    pub qk_norms: [&'static str; 2],
    /// From heads to stream.
    pub output: &'static str,
    /// Norm of the MLP.
    pub mlp_norm: &'static str,
    /// Its second norm in a sandwich.
    pub mlp_post_norm: &'static str,
    /// Maps into the MLP.
    pub mlp_in: MlpIn,
    /// Out of it.
    pub mlp_out: &'static str,
    /// Norm before the head.
    pub final_norm: &'static str,
    /// The head, which has no prefix.
    pub head: &'static str,
    /// The maps of blocks are stored `(in, out)` (Conv1D).
    pub transposed: bool,
}

impl Names {
    /// Takes every tensor that `spec` asks for from `source`.
    ///
    /// # Errors
    /// Whatever `source` finds wrong.
    pub fn parts(&self, spec: &Spec, source: &dyn Source) -> Result<Parts> {
        let fits = |prefix: &&&str| source.has(&format!("{prefix}{}.weight", self.embedding));
        let prefix = self.prefixes.iter().find(fits).or(self.prefixes.first()).copied().unwrap_or_default();
        let reader = Reader { names: self, spec, source, prefix };
        source.beyond(&format!("{prefix}{}.{}.{}.weight", self.blocks, spec.n_layers, self.output))?;
        let normal = Init::Normal(spec.init_std);
        let embedding_shape = [spec.vocab_size, spec.d_embedding];
        let embedding =
            source.tensor(&format!("{prefix}{}.weight", self.embedding), &embedding_shape, normal)?;
        let head_name = format!("{}.weight", self.head);
        if spec.tied {
            source.tied(&head_name, &embedding)?;
        }
        // A body that was saved by itself has no prefix and no head.
        let bodily = prefix.is_empty() && !spec.tied && source.lacks(&head_name);
        let head = || -> Result<Linear> {
            let tied = || Ok(embedding.clone());
            let weight = if spec.tied { tied() } else { source.tensor(&head_name, &embedding_shape, normal) };
            let bias = || source.tensor(&format!("{}.bias", self.head), &[spec.vocab_size], Init::Zeros);
            Ok(Linear { weight: weight?, bias: spec.biases.head.then(bias).transpose()? })
        };
        let head = if bodily { None } else { Some(head()?) };
        let projections = (spec.d_embedding != spec.d_model)
            .then(|| -> Result<_> {
                let [inward, outward] = self.projections;
                Ok([
                    reader.linear(inward, [spec.d_embedding, spec.d_model], false, normal)?,
                    reader.linear(outward, [spec.d_model, spec.d_embedding], false, normal)?,
                ])
            })
            .transpose()?;
        let positions = spec
            .learned_positions
            .map(|first| {
                let shape = [spec.max_positions + first, spec.d_model];
                source.tensor(&format!("{prefix}{}.weight", self.positions), &shape, normal)
            })
            .transpose()?;
        // All, and then the first error, so that a damaged file gives the same message every time.
        let blocks: Vec<Result<Block>> =
            (0..spec.n_layers).into_par_iter().map(|l| reader.block(l)).collect();
        let parts = Parts {
            embedding_norm: spec
                .embedding_norm
                .then(|| reader.norm(self.embedding_norm, spec.d_model))
                .transpose()?,
            projections,
            positions,
            blocks: blocks.into_iter().collect::<Result<_>>()?,
            final_norm: spec.final_norm.then(|| reader.norm(self.final_norm, spec.d_model)).transpose()?,
            head,
            embedding,
        };
        source.all_of(&format!("{prefix}{}.", self.blocks))?;
        Ok(parts)
    }
}

/// A table at work on one file.
struct Reader<'a> {
    names: &'a Names,
    spec: &'a Spec,
    source: &'a dyn Source,
    prefix: &'static str,
}

impl Reader<'_> {
    fn norm(&self, name: &str, width: usize) -> Result<NormWeights> {
        let take =
            |part: &str, init| self.source.tensor(&format!("{}{name}.{part}", self.prefix), &[width], init);
        Ok(match self.spec.norm {
            Norm::Layer { affine: false, .. } => NormWeights { weight: None, bias: None },
            Norm::Layer { .. } => NormWeights {
                weight: Some(take("weight", Init::Ones)?),
                bias: Some(take("bias", Init::Zeros)?),
            },
            Norm::Rms { offset: false, .. } => {
                NormWeights { weight: Some(take("weight", Init::Ones)?), bias: None }
            }
            Norm::Rms { offset: true, .. } => {
                NormWeights { weight: Some((take("weight", Init::Zeros)? + 1.0)?), bias: None }
            }
        })
    }

    fn linear(&self, name: &str, [d_in, d_out]: [usize; 2], bias: bool, init: Init) -> Result<Linear> {
        let shape = if self.names.transposed { [d_in, d_out] } else { [d_out, d_in] };
        let weight = self.source.tensor(&format!("{}{name}.weight", self.prefix), &shape, init)?;
        let weight = if self.names.transposed { weight.t()?.contiguous()? } else { weight };
        let bias = bias
            .then(|| self.source.tensor(&format!("{}{name}.bias", self.prefix), &[d_out], Init::Zeros))
            .transpose()?;
        Ok(Linear { weight, bias })
    }

    fn block(&self, l: usize) -> Result<Block> {
        let (spec, names) = (self.spec, self.names);
        let at = |name: &str| format!("{}.{l}.{name}", names.blocks);
        let sandwich = spec.form == Form::Sandwich;
        let norms = |name: &str, post: &str| -> Result<Norms> {
            let post = sandwich.then(|| self.norm(&at(post), spec.d_model)).transpose()?;
            Ok(Norms { norm: self.norm(&at(name), spec.d_model)?, post })
        };
        let attention = self.attention(&at)?;
        let mlp = self.mlp(&at)?;
        let shared = spec.form == Form::Parallel { shared_norm: true };
        Ok(Block {
            attention_norms: norms(names.attention_norm, names.attention_post_norm)?,
            attention,
            mlp_norms: (!shared).then(|| norms(names.mlp_norm, names.mlp_post_norm)).transpose()?,
            mlp,
        })
    }

    fn attention(&self, at: &dyn Fn(&str) -> String) -> Result<Attention> {
        let (spec, names, biases) = (self.spec, self.names, self.spec.biases);
        let normal = Init::Normal(spec.init_std);
        let (d, d_query, d_kv) =
            (spec.d_model, spec.n_heads * spec.head_dim, spec.n_kv_heads * spec.head_dim);
        let linear = |name: &str, d_out: usize| self.linear(&at(name), [d, d_out], biases.qkv, normal);
        let [query, key, value] = match names.qkv {
            Qkv::Split([query, key, value]) => {
                [linear(query, d_query)?, linear(key, d_kv)?, linear(value, d_kv)?]
            }
            Qkv::Concat(name) => linear(name, d_query + 2 * d_kv)?.split([d_query, d_kv, d_kv])?,
            Qkv::PerHead(name) => linear(name, 3 * d_query)?.split_per_head(spec.n_heads, spec.head_dim)?,
        };
        let qk_norms = spec.qk_norm.map(|kind| -> Result<_> {
            let [of_query, of_key] = names.qk_norms;
            let [query_width, key_width] = match kind {
                QkNorm::Head => [spec.head_dim; 2],
                QkNorm::Full => [d_query, d_kv],
            };
            Ok([self.norm(&at(of_query), query_width)?, self.norm(&at(of_key), key_width)?])
        });
        let output_init = Init::Normal(spec.residual_init_std);
        Ok(Attention {
            query,
            key,
            value,
            output: self.linear(&at(names.output), [d_query, d], biases.output, output_init)?,
            qk_norms: qk_norms.transpose()?,
        })
    }

    fn mlp(&self, at: &dyn Fn(&str) -> String) -> Result<Mlp> {
        let (spec, names, bias) = (self.spec, self.names, self.spec.biases.mlp);
        let (d, d_mlp, normal) = (spec.d_model, spec.d_mlp, Init::Normal(spec.init_std));
        let linear = |name: &str, d_out: usize| self.linear(&at(name), [d, d_out], bias, normal);
        let (gate, up) = match names.mlp_in {
            MlpIn::Split { gate, up } => {
                (spec.gated.then(|| linear(gate, d_mlp)).transpose()?, linear(up, d_mlp)?)
            }
            MlpIn::Concat(name) => {
                let [gate, up] = linear(name, 2 * d_mlp)?.split([d_mlp, d_mlp])?;
                (Some(gate), up)
            }
        };
        let output_init = Init::Normal(spec.residual_init_std);
        Ok(Mlp { gate, up, down: self.linear(&at(names.mlp_out), [d_mlp, d], bias, output_init)? })
    }
}
