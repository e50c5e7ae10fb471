//! Granite 3 with experts and a shared expert in every block.

use super::tensor_names::ExpertNames;
use super::{Architecture, Config, TensorNames, granitemoe};
use crate::error::Result;
use crate::model::spec::{SharedExpert, Spec};

pub(super) struct GraniteMoeShared;

impl Architecture for GraniteMoeShared {
    fn model_type(&self) -> &'static str {
        "granitemoeshared"
    }

    fn summary(&self) -> &'static str {
        "Granite MoE with a shared expert"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = granitemoe::base(config)?;
        let d_mlp = config.size_or("shared_intermediate_size", 0)?;
        if let Some(mixture) = spec.mixture.as_mut().filter(|_| d_mlp > 0) {
            mixture.shared = Some(SharedExpert { d_mlp, gated: false });
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        let shared = ["", "shared_mlp.input_linear", "shared_mlp.output_linear"];
        let experts = ExpertNames { shared, ..granitemoe::NAMES.experts };
        TensorNames { experts, ..granitemoe::NAMES }
    }
}
