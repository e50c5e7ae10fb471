//! Granite: a Llama in which the embedding, the attention scores, the branches and the logits have
//! multipliers.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Granite;

/// The spec that all Granite models have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let mut spec = llama::base(config, rotary::USUAL)?;
    spec.embedding_scale = config.positive_or("embedding_multiplier", 1.0)?;
    spec.attention_scale = config.positive_or("attention_multiplier", 1.0)? as f32;
    spec.residual_scale = config.positive_or("residual_multiplier", 1.0)?;
    spec.logit_scale = 1.0 / config.positive_or("logits_scaling", 1.0)?;
    Ok(spec)
}

impl Architecture for Granite {
    fn model_type(&self) -> &'static str {
        "granite"
    }

    fn summary(&self) -> &'static str {
        "Granite 3 (Llama with multipliers of embedding, attention scores, branches and logits)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
