//! dots.llm1: a Qwen 3 with a mixture of experts. The weights of the experts are sigmoids, as in DeepSeek 3.

use super::tensor_names::ExpertNames;
use super::{Architecture, Config, TensorNames, llama, mixture, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{QkNorm, Spec};

pub(super) struct Dots1;

/// The tensor names of models whose shared experts are stored as one MLP.
pub(super) const NAMES: TensorNames = TensorNames {
    experts: ExpertNames {
        shared: [
            "mlp.shared_experts.gate_proj",
            "mlp.shared_experts.up_proj",
            "mlp.shared_experts.down_proj",
        ],
        ..ExpertNames::USUAL
    },
    ..llama::NAMES
};

impl Architecture for Dots1 {
    fn model_type(&self) -> &'static str {
        "dots1"
    }

    fn summary(&self) -> &'static str {
        "dots.llm1 (Qwen3 with a mixture of experts weighted by sigmoids)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.qk_norm = Some(QkNorm::Head);
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let first = config.size_or("max_window_layers", 62)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |l| l >= first)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        let first = config.size_or("first_k_dense_replace", 0)?;
        mixture::set(&mut spec, mixture::sigmoid(config, false, 0)?, |l| l >= first);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
