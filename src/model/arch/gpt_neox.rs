//! GPT-NeoX and Pythia: layer norms, partially rotated heads, parallel or sequential branches, and one fused
//! map whose outputs are the query, key and value of each head in turn. Attention masks and rotary tables in
//! the files are ignored.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, BlockForm, Norm, Spec};

pub(super) struct GptNeoX;

impl Architecture for GptNeoX {
    fn model_type(&self) -> &'static str {
        "gpt_neox"
    }

    fn summary(&self) -> &'static str {
        "GPT-NeoX, Pythia (parallel or sequential residual, partly rotated heads, layer norm, erf gelu)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let theta = config.positive_or("rotary_emb_base", 10_000.0)?;
        let fraction = config.positive_or("rotary_pct", 0.25)?;
        let mut spec =
            llama::base(&config.without(&["head_dim"]), rotary::Defaults { theta, fraction, partial: true })?;
        if config.count_or("head_dim", spec.head_dim)? != spec.head_dim {
            return config.unsupported("head_dim", config.count("head_dim")?);
        }
        spec.norm = Norm::Layer { eps: config.positive_or("layer_norm_eps", 1e-5)?, affine: true };
        if config.flag_or("use_parallel_residual", true)? {
            spec.form = BlockForm::Parallel { shared_norm: false };
        }
        spec.activation = config.activation("hidden_act", "gelu")?;
        spec.gated = false;
        let attention = config.flag_or("attention_bias", true)?;
        spec.biases = Biases { qkv: attention, output: attention, mlp: true, head: false };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            prefixes: &["gpt_neox.", ""],
            embedding: "embed_in",
            qkv: Qkv::Grouped("attention.query_key_value"),
            output: "attention.dense",
            mlp_in: MlpIn::Split { gate: "", up: "mlp.dense_h_to_4h" },
            mlp_out: "mlp.dense_4h_to_h",
            final_norm: "final_layer_norm",
            head: "embed_out",
            ..llama::NAMES
        }
    }
}
