//! Seed-OSS: a Llama with biases of queries, keys and values.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Spec};

pub(super) struct SeedOss;

impl Architecture for SeedOss {
    fn model_type(&self) -> &'static str {
        "seed_oss"
    }

    fn summary(&self) -> &'static str {
        "Seed-OSS (Llama with biases of queries, keys and values)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(&config.with_default("head_dim", 128), rotary::USUAL)?;
        spec.biases = Biases {
            qkv: config.flag_or("attention_bias", true)?,
            output: config.flag_or("attention_out_bias", false)?,
            mlp: config.flag_or("mlp_bias", false)?,
            head: false,
        };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
