//! Nemotron 3 and 4 (Minitron): layer norms with weights stored minus 1, a squared ReLU without gate, and
//! rotary positions in half of each head.

use super::{Architecture, Config, TensorNames, arcee, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Nemotron;

impl Architecture for Nemotron {
    fn model_type(&self) -> &'static str {
        "nemotron"
    }

    fn summary(&self) -> &'static str {
        "Nemotron-4, Minitron (layer norm weights stored minus 1, squared ReLU, half-rotated heads)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let defaults = rotary::Defaults { fraction: 0.5, partial: true, ..rotary::USUAL };
        let mut spec = llama::base(config, defaults)?;
        spec.norm = Norm::Layer { eps: config.positive_or("norm_eps", 1e-5)?, affine: true };
        spec.activation = config.activation("hidden_act", "relu2")?;
        spec.gated = false;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames { norms_less_one: true, ..arcee::NAMES }
    }
}
