//! InternLM 2: a Llama with one tensor for queries, keys and values, grouped by key head. The code of the
//! model is published with the weights, not in transformers. It computes the same states as the code of
//! Llama.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Spec};

pub(super) struct InternLm2;

impl Architecture for InternLm2 {
    fn model_type(&self) -> &'static str {
        "internlm2"
    }

    fn summary(&self) -> &'static str {
        "InternLM 2, 2.5 (Llama with one projection for queries, keys and values)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        let bias = config.flag_or("bias", true)?;
        spec.biases = Biases { qkv: bias, output: bias, ..Biases::default() };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            embedding: "tok_embeddings",
            attention_norm: "attention_norm",
            qkv: Qkv::Grouped("attention.wqkv"),
            output: "attention.wo",
            mlp_norm: "ffn_norm",
            mlp_in: MlpIn::Split { gate: "feed_forward.w1", up: "feed_forward.w3" },
            mlp_out: "feed_forward.w2",
            head: "output",
            ..llama::NAMES
        }
    }
}
