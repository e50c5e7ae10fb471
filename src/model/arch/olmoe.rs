//! OLMoE: a Llama with a mixture of experts, and with query-key normalisation (QK norm) over all heads
//! together.

use super::{Architecture, Config, TensorNames, llama, mixture, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, QkNorm, Spec};

pub(super) struct Olmoe;

impl Architecture for Olmoe {
    fn model_type(&self) -> &'static str {
        "olmoe"
    }

    fn summary(&self) -> &'static str {
        "OLMoE (Llama with a mixture of experts, and QK norm)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        // OLMoE normalises queries and keys before clipping them; the decoder clips first. No published model
        // uses clipping.
        if let Some(clip) = config.optional("clip_qkv", None, Config::positive)? {
            return config.unsupported("clip_qkv", clip);
        }
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.qk_norm = Some(QkNorm::Full);
        let mut experts = mixture::base(config, &["num_experts", "num_local_experts"], spec.d_mlp)?;
        experts.weights = mixture::weights(config)?;
        mixture::set(&mut spec, experts, |_| true);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
