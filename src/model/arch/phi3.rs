//! Phi 3 and 4: a Llama with fused projections, a sliding window, and LongRoPE. Windows are limited to
//! `original_max_position_embeddings`, because only the factors for short windows are used: in longer
//! windows, the factors for long windows would change the states of every prefix.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Phi3;

impl Architecture for Phi3 {
    fn model_type(&self) -> &'static str {
        "phi3"
    }

    fn summary(&self) -> &'static str {
        "Phi-3, Phi-3.5, Phi-4 (Llama with fused projections, a sliding window and LongRoPE; inputs up to \
         the context length in training)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::Defaults { partial: true, ..rotary::USUAL })?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.biases = Biases::default();
        let window = config.optional("sliding_window", None, Config::size)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |_| true)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            qkv: Qkv::Concat("self_attn.qkv_proj"),
            mlp_in: MlpIn::Concat("mlp.gate_up_proj"),
            ..llama::NAMES
        }
    }
}
