//! Qwen 3 with experts: a Qwen 3 with a mixture of experts.

use super::{Architecture, Config, TensorNames, llama, mixture, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{QkNorm, Spec};

pub(super) struct Qwen3Moe;

impl Architecture for Qwen3Moe {
    fn model_type(&self) -> &'static str {
        "qwen3_moe"
    }

    fn summary(&self) -> &'static str {
        "Qwen3-MoE (Qwen3 with a mixture of experts)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.qk_norm = Some(QkNorm::Head);
        config.mark_inert(&["sliding_window"]);
        if config.flag_or("use_sliding_window", false)? {
            let window = config.optional("sliding_window", Some(4096), Config::size)?;
            let all = vec![true; spec.n_layers];
            sliding_window::set_windows(&mut spec, window, &all);
        }
        let d_expert = config.size("moe_intermediate_size")?;
        let mut experts = mixture::base(config, &["num_experts", "num_local_experts"], d_expert)?;
        experts.weights = mixture::weights(config)?;
        let sparse = mixture::sparse_blocks(config, spec.n_layers)?;
        mixture::set(&mut spec, experts, |l| sparse[l]);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
