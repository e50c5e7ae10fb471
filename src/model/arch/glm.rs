//! GLM-4-9B, first version: a Llama with one tensor for gate and up, with biases of queries, keys and values,
//! and with interleaved rotary pairs in half of each head.

use super::tensor_names::MlpIn;
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Glm;

/// The tensor names. One tensor contains gate and up.
pub(super) const NAMES: TensorNames =
    TensorNames { mlp_in: MlpIn::Concat("mlp.gate_up_proj"), ..llama::NAMES };

/// The spec that all GLM models have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let defaults = rotary::Defaults { fraction: 0.5, partial: true, ..rotary::USUAL };
    let mut spec = llama::base(&config.with_default("head_dim", 128), defaults)?;
    spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1.5625e-7)?, offset: false };
    spec.ropes.iter_mut().for_each(|rope| rope.interleaved = true);
    spec.biases = Biases { qkv: config.flag_or("attention_bias", true)?, ..Biases::default() };
    Ok(spec)
}

impl Architecture for Glm {
    fn model_type(&self) -> &'static str {
        "glm"
    }

    fn summary(&self) -> &'static str {
        "GLM-4-9B (Llama with half-rotated heads, fused gate)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
