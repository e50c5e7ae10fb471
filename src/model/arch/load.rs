//! Loads the parameters of a decoder, by the tensor names of its architecture.

use rayon::prelude::*;

use super::loader::Loader;
use super::tensor_names::{MlpIn, Qkv, TensorNames};
use crate::error::Result;
use crate::model::block_parameters::{Attention, Block, FeedForward, Mlp, Norms};
use crate::model::blocks::Blocks;
use crate::model::parameters::Parameters;
use crate::model::spec::{BlockForm, QkNorm, Spec};
use crate::model::table::{Head, Table};
use crate::model::weights::{Init, ParameterSource};

impl TensorNames {
    /// Reads all tensors that `spec` needs from `source`.
    ///
    /// # Errors
    /// Returns the errors of `source`.
    pub fn load(&self, spec: &Spec, source: &dyn ParameterSource) -> Result<Parameters> {
        let place = self.place(&|name| source.has(name));
        let loader = Loader { names: self, spec, source, place };
        let (shape, normal) = ([spec.vocab_size, spec.d_embedding], Init::Normal(spec.init_std));
        let table = |name: &str| source.tensor(name, &shape, normal).map(Table::Loaded);
        let blocks = || {
            // Load all blocks before returning the first error, so that a damaged file gives the same message
            // every time.
            let blocks: Vec<Result<Block>> =
                (0..spec.n_layers).into_par_iter().map(|l| loader.block(l)).collect();
            blocks.into_iter().collect::<Result<_>>().map(Blocks::Loaded)
        };
        loader.assemble(table, blocks)
    }
}

impl Loader<'_> {
    /// Assembles all parameters. `table` loads a vocabulary table by its full name, and `blocks` loads all
    /// blocks.
    pub(super) fn assemble(
        &self,
        table: impl Fn(&str) -> Result<Table>,
        blocks: impl FnOnce() -> Result<Blocks>,
    ) -> Result<Parameters> {
        let Self { names, spec, source, place } = self;
        let normal = Init::Normal(spec.init_std);
        let embedding_name = self.full(&format!("{}.weight", names.embedding));
        let head_name = format!("{}.weight", place.head);
        let as_head = spec.tied && source.lacks(&embedding_name) && source.has(&head_name);
        let embedding = table(if as_head { &head_name } else { &embedding_name })?;
        if spec.tied && !as_head {
            source.check_tied(&head_name, &embedding_name, [spec.vocab_size, spec.d_embedding])?;
        }
        // A checkpoint of a base model or of a classifier has no language-model head.
        let is_headless = !spec.tied && source.lacks(&head_name);
        let head = || -> Result<Head> {
            let table = if spec.tied { embedding.clone() } else { table(&head_name)? };
            let bias = || source.tensor(&format!("{}.bias", place.head), &[spec.vocab_size], Init::Zeros);
            Ok(Head { table, bias: spec.biases.head.then(bias).transpose()? })
        };
        let head = if is_headless { None } else { Some(head()?) };
        let projections = (spec.d_embedding != spec.d_model)
            .then(|| -> Result<_> {
                let [inward, outward] = names.projections;
                Ok([
                    self.linear(inward, [spec.d_embedding, spec.d_model], false, normal)?,
                    self.linear(outward, [spec.d_model, spec.d_embedding], false, normal)?,
                ])
            })
            .transpose()?;
        let positions = spec
            .learned_positions
            .map(|first| {
                let shape = [spec.max_positions + first, spec.d_model];
                source.tensor(&self.full(&format!("{}.weight", names.positions)), &shape, normal)
            })
            .transpose()?;
        let parts = Parameters {
            embedding_norm: spec
                .embedding_norm
                .then(|| self.norm(names.embedding_norm, spec.d_model))
                .transpose()?,
            projections,
            positions,
            blocks: blocks()?,
            final_norm: spec.final_norm.then(|| self.norm(names.final_norm, spec.d_model)).transpose()?,
            head,
            embedding,
        };
        for l in spec.n_layers..spec.n_layers + spec.n_further_blocks {
            source.leave_out(&self.full(&format!("{}.{l}.", names.blocks)));
        }
        source.check_all_read(&self.full(&format!("{}.", names.blocks)))?;
        Ok(parts)
    }
}

impl Loader<'_> {
    pub(super) fn block(&self, l: usize) -> Result<Block> {
        let (spec, names) = (self.spec, self.names);
        let at = |name: &str| format!("{}.{l}.{name}", names.blocks);
        let sandwich = spec.form == BlockForm::Sandwich;
        let norms = |name: &str, post: &str| -> Result<Norms> {
            let post = sandwich.then(|| self.norm(&at(post), spec.d_model)).transpose()?;
            Ok(Norms { norm: self.norm(&at(name), spec.d_model)?, post })
        };
        let attention = self.attention(&at)?;
        let mlp = match spec.mixture.filter(|_| spec.layers[l].mixture) {
            Some(mixture) => FeedForward::Mixture(self.experts(&at, &mixture)?),
            None => FeedForward::Dense(self.mlp(&at)?),
        };
        let shared = spec.form == BlockForm::Parallel { shared_norm: true };
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
            Qkv::Grouped(name) => {
                let group = spec.n_heads / spec.n_kv_heads;
                linear(name, d_query + 2 * d_kv)?.split_grouped(spec.n_kv_heads, group, spec.head_dim)?
            }
        };
        let qk_norms = spec.qk_norm.map(|kind| -> Result<_> {
            let [of_query, of_key] = names.qk_norms;
            let (of_query, of_key) = (at(of_query), at(of_key));
            Ok(match kind {
                QkNorm::Head => [self.norm(&of_query, spec.head_dim)?, self.norm(&of_key, spec.head_dim)?],
                QkNorm::Full => [self.norm(&of_query, d_query)?, self.norm(&of_key, d_kv)?],
                QkNorm::EachHead => {
                    [self.head_norms(&of_query, spec.n_heads)?, self.head_norms(&of_key, spec.n_kv_heads)?]
                }
            })
        });
        let sinks = || self.source.tensor(&self.full(&at(names.sinks)), &[spec.n_heads], normal);
        let output_init = Init::Normal(spec.residual_init_std);
        Ok(Attention {
            query,
            key,
            value,
            output: self.linear(&at(names.output), [d_query, d], biases.output, output_init)?,
            qk_norms: qk_norms.transpose()?,
            sinks: spec.sinks.then(sinks).transpose()?,
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
