//! InternLM 3: the same as Llama, with another `model_type` and other names of the bias keys.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct InternLm3;

impl Architecture for InternLm3 {
    fn model_type(&self) -> &'static str {
        "internlm3"
    }

    fn summary(&self) -> &'static str {
        "InternLM 3 (same as Llama)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(&config.with_default("head_dim", 128), rotary::USUAL)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        let attention = config.flag_or(config.present_alias(&["qkv_bias", "attention_bias"]), false)?;
        let mlp = config.flag_or(config.present_alias(&["bias", "mlp_bias"]), false)?;
        if attention != mlp {
            return config.unsupported("qkv_bias", attention);
        }
        spec.biases = Biases { qkv: attention, output: attention, mlp, head: false };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
