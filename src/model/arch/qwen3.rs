//! Qwen 3: a Llama with query-key normalisation (QK norm) of each head.

use super::{Architecture, Config, TensorNames, llama, qwen2, rotary};
use crate::error::Result;
use crate::model::spec::{QkNorm, Spec};

pub(super) struct Qwen3;

impl Architecture for Qwen3 {
    fn model_type(&self) -> &'static str {
        "qwen3"
    }

    fn summary(&self) -> &'static str {
        "Qwen3 (Llama with QK norm)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(&config.with_default("head_dim", 128), rotary::USUAL)?;
        spec.qk_norm = Some(QkNorm::Head);
        qwen2::later_windows(&mut spec, config)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
