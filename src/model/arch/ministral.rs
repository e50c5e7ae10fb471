//! Ministral 8B: a Mistral in which only the blocks that the config names have a window.

use super::{Architecture, Config, TensorNames, llama, mistral};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Ministral;

impl Architecture for Ministral {
    fn model_type(&self) -> &'static str {
        "ministral"
    }

    fn summary(&self) -> &'static str {
        "Ministral 8B (Mistral with a sliding window in some blocks)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        mistral::base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
