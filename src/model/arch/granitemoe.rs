//! Granite 3 with experts: a Granite with a mixture of experts in every block.

use super::tensor_names::{ExpertMaps, ExpertNames};
use super::{Architecture, Config, TensorNames, granite, llama, mixture};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct GraniteMoe;

/// The tensor names. Two tensors contain all experts of a block.
pub(super) const NAMES: TensorNames = TensorNames {
    experts: ExpertNames {
        router: "block_sparse_moe.router.layer",
        maps: ExpertMaps::Stacked([
            "block_sparse_moe.input_linear.weight",
            "block_sparse_moe.output_linear.weight",
        ]),
        ..ExpertNames::USUAL
    },
    ..llama::NAMES
};

/// The spec that all Granite models with experts have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let mut spec = granite::base(config)?;
    let experts = mixture::base(config, &["num_local_experts"], spec.d_mlp)?;
    mixture::set(&mut spec, experts, |_| true);
    Ok(spec)
}

impl Architecture for GraniteMoe {
    fn model_type(&self) -> &'static str {
        "granitemoe"
    }

    fn summary(&self) -> &'static str {
        "Granite 3 MoE (Granite with a mixture of experts)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
