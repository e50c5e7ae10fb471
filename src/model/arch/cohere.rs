//! Cohere's Command R: parallel branches after one layer norm without bias, interleaved rotary positions,
//! scaled logits, and in Command R+ query-key normalisation (QK norm).

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{BlockForm, Norm, QkNorm, Spec};

pub(super) struct Cohere;

/// The spec that all Cohere models have in common.
pub(super) fn base(config: &Config, theta: f64) -> Result<Spec> {
    let mut spec = llama::base(config, rotary::Defaults { theta, ..rotary::USUAL })?;
    spec.norm = Norm::Layer { eps: config.positive_or("layer_norm_eps", 1e-5)?, affine: true };
    spec.norm_bias = false;
    spec.form = BlockForm::Parallel { shared_norm: true };
    spec.ropes.iter_mut().for_each(|rope| rope.interleaved = true);
    spec.logit_scale = config.positive_or("logit_scale", 0.0625)?;
    spec.tied = config.flag_or("tie_word_embeddings", true)?;
    Ok(spec)
}

impl Architecture for Cohere {
    fn model_type(&self) -> &'static str {
        "cohere"
    }

    fn summary(&self) -> &'static str {
        "Cohere Command R, Aya 23 (parallel branches, layer norm, interleaved rotary positions)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = base(config, 500_000.0)?;
        if config.flag_or("use_qk_norm", false)? {
            spec.qk_norm = Some(QkNorm::EachHead);
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
