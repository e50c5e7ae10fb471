//! FlexOlmo: an OLMo 2 with a mixture of experts.

use super::{Architecture, Config, TensorNames, mixture, olmo2, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct FlexOlmo;

impl Architecture for FlexOlmo {
    fn model_type(&self) -> &'static str {
        "flex_olmo"
    }

    fn summary(&self) -> &'static str {
        "FlexOlmo (OLMo 2 with a mixture of experts)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = olmo2::base(config)?;
        rotary::rotate(&mut spec, config, rotary::Defaults { theta: 500_000.0, ..rotary::USUAL })?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-6)?, offset: false };
        let mut experts = mixture::base(config, &["num_experts", "num_local_experts"], spec.d_mlp)?;
        experts.weights = mixture::weights(config)?;
        mixture::set(&mut spec, experts, |_| true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        olmo2::NAMES
    }
}
