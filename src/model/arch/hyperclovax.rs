//! HyperCLOVA X: a Llama with multipliers (see Granite), and with norms before and after each branch.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{BlockForm, Spec};

pub(super) struct HyperClovaX;

impl Architecture for HyperClovaX {
    fn model_type(&self) -> &'static str {
        "hyperclovax"
    }

    fn summary(&self) -> &'static str {
        "HyperCLOVA X SEED (Llama with multipliers and sandwich norms)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        if config.flag_or("use_post_norm", true)? {
            spec.form = BlockForm::Sandwich;
        }
        spec.embedding_scale = config.positive_or("embedding_multiplier", 1.0)?;
        if let Some(scale) = config.optional("attention_multiplier", None, Config::positive)? {
            spec.attention_scale = scale as f32;
        }
        spec.residual_scale = config.positive_or("residual_multiplier", 1.0)?;
        // HyperCLOVA X multiplies logits by this value; Granite divides logits by it.
        spec.logit_scale = config.positive_or("logits_scaling", 1.0)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames { attention_post_norm: "post_norm1", mlp_post_norm: "post_norm2", ..llama::NAMES }
    }
}
