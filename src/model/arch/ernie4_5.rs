//! ERNIE 4.5 without experts: a Llama with interleaved rotary pairs, and one config key for all biases.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Ernie45;

/// The spec that all models of this family have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let defaults = rotary::Defaults { theta: 500_000.0, ..rotary::USUAL };
    let mut spec = llama::base(config, defaults)?;
    spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
    spec.biases = if config.flag_or("use_bias", false)? { Biases::BLOCKS } else { Biases::default() };
    spec.ropes.iter_mut().for_each(|rope| rope.interleaved = true);
    spec.tied = config.flag_or("tie_word_embeddings", true)?;
    Ok(spec)
}

impl Architecture for Ernie45 {
    fn model_type(&self) -> &'static str {
        "ernie4_5"
    }

    fn summary(&self) -> &'static str {
        "ERNIE 4.5 0.3B (Llama with interleaved rotary positions)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(&config.with_default("head_dim", 128))
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
