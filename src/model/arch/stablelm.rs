//! StableLM: a Llama with layer norms, partially rotated heads, and optional parallel branches.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, BlockForm, Norm, Spec};

pub(super) struct StableLm;

impl Architecture for StableLm {
    fn model_type(&self) -> &'static str {
        "stablelm"
    }

    fn summary(&self) -> &'static str {
        "StableLM (Llama with layer norms and partly rotated heads)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec =
            llama::base(config, rotary::Defaults { fraction: 0.25, partial: true, ..rotary::USUAL })?;
        spec.norm = Norm::Layer { eps: config.positive_or("layer_norm_eps", 1e-5)?, affine: true };
        spec.biases = Biases { qkv: config.flag_or("use_qkv_bias", false)?, ..Biases::default() };
        if config.flag_or("use_parallel_residual", false)? {
            spec.form = BlockForm::Parallel { shared_norm: true };
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
