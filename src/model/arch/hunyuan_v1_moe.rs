//! HunYuan with experts: a HunYuan with a mixture of experts and a shared expert in every block.

use serde_json::Value;

use super::tensor_names::ExpertNames;
use super::{Architecture, Config, TensorNames, hunyuan_v1_dense, mixture};
use crate::error::Result;
use crate::model::spec::{SharedExpert, Spec};

pub(super) struct HunYuanMoe;

/// Replaces a list with one number per block by a single number. The numbers must be equal, because the
/// decoder supports only one mixture for all blocks.
fn of_all_blocks(config: &Config, key: &str) -> Result<Config> {
    let Some(Value::Array(numbers)) = config.get(key) else { return Ok(config.clone()) };
    match numbers.split_first() {
        Some((first, rest)) if rest.iter().all(|number| number == first) => {
            Ok(config.with(key, first.clone()))
        }
        _ => config.unsupported(key, "[..] with different numbers"),
    }
}

impl Architecture for HunYuanMoe {
    fn model_type(&self) -> &'static str {
        "hunyuan_v1_moe"
    }

    fn summary(&self) -> &'static str {
        "HunYuan A13B (HunYuan with a mixture of experts and a shared expert)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let config = of_all_blocks(&of_all_blocks(config, "moe_topk")?, "num_experts")?;
        let mut spec = hunyuan_v1_dense::base(&config)?;
        let mut experts = mixture::base(&config, &["num_experts", "num_local_experts"], spec.d_mlp)?;
        experts.shared = Some(SharedExpert { d_mlp: spec.d_mlp, gated: false });
        mixture::set(&mut spec, experts, |_| true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        let experts = ExpertNames {
            router: "mlp.gate.wg",
            shared: ["mlp.shared_mlp.gate_proj", "mlp.shared_mlp.up_proj", "mlp.shared_mlp.down_proj"],
            ..ExpertNames::USUAL
        };
        TensorNames { experts, ..hunyuan_v1_dense::NAMES }
    }
}
