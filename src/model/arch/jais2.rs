//! Jais 2: a Llama with layer norms, biases, and an MLP with a squared ReLU and no gate.

use super::{Architecture, Config, TensorNames, arcee, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Jais2;

impl Architecture for Jais2 {
    fn model_type(&self) -> &'static str {
        "jais2"
    }

    fn summary(&self) -> &'static str {
        "Jais 2 (Llama with layer norms, biases and a squared ReLU without gate)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.norm = Norm::Layer { eps: config.positive_or("layer_norm_eps", 1e-5)?, affine: true };
        spec.activation = config.activation("hidden_act", "relu2")?;
        spec.gated = false;
        let attention = config.flag_or("attention_bias", true)?;
        let mlp = config.flag_or("mlp_bias", true)?;
        spec.biases = Biases { qkv: attention, output: attention, mlp, head: false };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        arcee::NAMES
    }
}
