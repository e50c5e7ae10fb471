//! GLM-4-9B, first version: a Llama in which one tensor contains gate and up, queries, keys and values have
//! biases, and half of each head is rotated in interleaved pairs.

use super::tensor_names::MlpIn;
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Glm;

/// The tensor names. Gate and up are in one tensor.
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
