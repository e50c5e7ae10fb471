//! IQuest-Coder: the same as Llama, with another `model_type`.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct IQuestCoder;

impl Architecture for IQuestCoder {
    fn model_type(&self) -> &'static str {
        "iquestcoder"
    }

    fn summary(&self) -> &'static str {
        "IQuest-Coder (same as Llama)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(&config.with_default("head_dim", 128), rotary::USUAL)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
