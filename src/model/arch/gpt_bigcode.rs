//! GPT-BigCode: a GPT-2 in which all query heads share one key-value head, with maps stored as `(out, in)`.

use super::tensor_names::Qkv;
use super::{Architecture, Config, TensorNames, gpt2};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct GptBigCode;

impl Architecture for GptBigCode {
    fn model_type(&self) -> &'static str {
        "gpt_bigcode"
    }

    fn summary(&self) -> &'static str {
        "StarCoder, SantaCoder (GPT-2 with one key and value head)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = gpt2::base(config)?;
        spec.activation = config.activation("activation_function", "gelu_pytorch_tanh")?;
        if config.flag_or("multi_query", true)? {
            spec.n_kv_heads = 1;
        }
        // Newer config files also have this key; only `multi_query` is read.
        config.mark_inert(&["num_key_value_heads"]);
        Ok(spec)
    }

    fn tensor_names(&self, spec: &Spec) -> TensorNames {
        let fused = "attn.c_attn";
        let is_shared = spec.n_kv_heads == 1;
        TensorNames {
            qkv: if is_shared { Qkv::Concat(fused) } else { Qkv::Grouped(fused) },
            transposed: false,
            ..gpt2::NAMES
        }
    }
}
