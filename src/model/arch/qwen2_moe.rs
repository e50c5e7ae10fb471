//! Qwen 1.5 and 2 with experts: a Qwen 2 with a mixture of experts and a gated shared expert.

use super::{Architecture, Config, TensorNames, llama, mixture, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Biases, SharedExpert, Spec};

pub(super) struct Qwen2Moe;

impl Architecture for Qwen2Moe {
    fn model_type(&self) -> &'static str {
        "qwen2_moe"
    }

    fn summary(&self) -> &'static str {
        "Qwen1.5-MoE, Qwen2-MoE (Qwen2 with a mixture of experts and a gated shared expert)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.biases = Biases { qkv: config.flag_or("qkv_bias", true)?, ..Biases::default() };
        config.mark_inert(&["sliding_window", "max_window_layers", "layer_types"]);
        if config.flag_or("use_sliding_window", false)? {
            let window = config.optional("sliding_window", Some(4096), Config::size)?;
            let first = config.size_or("max_window_layers", 28)?;
            let sliding = sliding_window::slides(config, spec.n_layers, |l| l % 2 == 0 && l < first)?;
            sliding_window::set_windows(&mut spec, window, &sliding);
        }
        let mut experts = mixture::base(config, &["num_experts"], config.size("moe_intermediate_size")?)?;
        experts.weights = mixture::weights(config)?;
        let d_mlp = config.size("shared_expert_intermediate_size")?;
        experts.shared = Some(SharedExpert { d_mlp, gated: true });
        let sparse = mixture::sparse_blocks(config, spec.n_layers)?;
        mixture::set(&mut spec, experts, |l| sparse[l]);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
