//! ERNIE 4.5 with experts: some blocks have a mixture of experts, and a bias affects the choice of experts.

use super::tensor_names::ExpertNames;
use super::{Architecture, Config, TensorNames, dots1, ernie4_5, mixture};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Ernie45Moe;

/// The last block with experts; the value -1 stands for the last block of the model.
fn last_block(config: &Config, n_layers: usize) -> Result<usize> {
    match config.get("moe_layer_end_index") {
        None => Ok(n_layers),
        Some(value) if value.as_i64() == Some(-1) => Ok(n_layers),
        Some(_) => config.size("moe_layer_end_index"),
    }
}

/// The largest supported `moe_norm_min`. The largest of fewer than a million softmax weights exceeds this
/// number.
const LEAST_SUM: f64 = 1e-6;

impl Architecture for Ernie45Moe {
    fn model_type(&self) -> &'static str {
        "ernie4_5_moe"
    }

    fn summary(&self) -> &'static str {
        "ERNIE 4.5 21B, 300B (ERNIE 4.5 with a mixture of experts and a bias in the choice of experts)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = ernie4_5::base(config)?;
        if config.flag_or("use_bias", false)? {
            return config.unsupported("use_bias", true);
        }
        // The weights of the chosen experts are divided by their sum, or by `moe_norm_min` if the sum is
        // smaller. The largest softmax weight is at least 1 / number of experts. If its expert is chosen, the
        // sum is at least as large, so a small `moe_norm_min` has no effect.
        let least_sum = config.positive_or("moe_norm_min", 1e-12)?;
        if least_sum > LEAST_SUM {
            return config.unsupported("moe_norm_min", least_sum);
        }
        let d_expert = config.size_or("moe_intermediate_size", 1536)?;
        let mut experts = mixture::base(config, &["moe_num_experts", "num_experts"], d_expert)?;
        experts.choice_bias = true;
        experts.shared = mixture::shared(config.count_or("moe_num_shared_experts", 2)?, d_expert);
        let interval = config.count_or("moe_layer_interval", 1)?;
        if interval == 0 {
            return Err(config.fault("key `moe_layer_interval` is 0"));
        }
        let (first, last) = (config.size_or("moe_layer_start_index", 1)?, last_block(config, spec.n_layers)?);
        mixture::set(&mut spec, experts, |l| (l + 1).is_multiple_of(interval) && (first..=last).contains(&l));
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        let experts = ExpertNames {
            choice_bias: "mlp.moe_statics.e_score_correction_bias",
            is_choice_bias_row: true,
            ..dots1::NAMES.experts
        };
        TensorNames { experts, ..dots1::NAMES }
    }
}
