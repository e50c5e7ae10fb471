//! OLMo 1: a Llama with layer norms that have no weights, and with optional clipping of queries, keys and
//! values.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Olmo;

impl Architecture for Olmo {
    fn model_type(&self) -> &'static str {
        "olmo"
    }

    fn summary(&self) -> &'static str {
        "OLMo 1 (Llama with layer norms without weights, and with clamped queries, keys and values)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.norm = Norm::Layer { eps: 1e-5, affine: false };
        spec.clip_qkv = config.optional("clip_qkv", None, Config::positive)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
