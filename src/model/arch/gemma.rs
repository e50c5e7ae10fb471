//! Gemma 1: a Llama with a scaled embedding, norm weights stored minus 1, a tanh gelu gate and a tied head.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Activation, Norm, Spec};

pub(super) struct Gemma;

/// The spec that all versions of Gemma have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let mut spec = llama::base(&config.with_default("head_dim", 256), rotary::USUAL)?;
    spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-6)?, offset: true };
    spec.embedding_scale = f64::from((spec.d_model as f32).sqrt());
    spec.activation = Activation::GeluTanh;
    spec.tied = config.flag_or("tie_word_embeddings", true)?;
    Ok(spec)
}

impl Architecture for Gemma {
    fn model_type(&self) -> &'static str {
        "gemma"
    }

    fn summary(&self) -> &'static str {
        "Gemma (Llama with scaled embedding, offset norms, gated tanh gelu, tied head)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = base(config)?;
        // Early configs have `hidden_act` instead of `hidden_activation`; their value "gelu" always means the
        // tanh form.
        let key = config.present_alias(&["hidden_activation", "hidden_act"]);
        if config.text_or(key, "gelu")? != "gelu" {
            spec.activation = config.activation(key, "gelu_pytorch_tanh")?;
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
