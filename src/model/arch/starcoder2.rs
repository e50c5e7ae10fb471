//! StarCoder2: a Llama with layer norms, biases, an MLP without gate, and an optional sliding window.

use super::tensor_names::MlpIn;
use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Starcoder2;

impl Architecture for Starcoder2 {
    fn model_type(&self) -> &'static str {
        "starcoder2"
    }

    fn summary(&self) -> &'static str {
        "StarCoder2 (layer norms, rotary positions, tanh gelu without gate, sliding window)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.norm = Norm::Layer { eps: config.positive_or("norm_epsilon", 1e-5)?, affine: true };
        spec.activation = config.activation("hidden_act", "gelu_pytorch_tanh")?;
        spec.gated = false;
        spec.biases = if config.flag_or("use_bias", true)? { Biases::BLOCKS } else { Biases::default() };
        spec.tied = config.flag_or("tie_word_embeddings", true)?;
        let window = config.optional("sliding_window", None, Config::size)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |_| true)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            mlp_in: MlpIn::Split { gate: "", up: "mlp.c_fc" },
            mlp_out: "mlp.c_proj",
            ..llama::NAMES
        }
    }
}
