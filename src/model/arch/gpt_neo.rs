//! GPT-Neo: GPT-2 with separate projections, unscaled attention scores, and sliding windows in some blocks.

use serde_json::Value;

use super::tensor_names::Qkv;
use super::{Architecture, Config, TensorNames, gpt2};
use crate::error::Result;
use crate::model::spec::{Biases, Layer, Norm, Spec};

pub(super) struct GptNeo;

/// Whether each block has a window. `attention_types` is a list of pairs; each pair consists of a list of
/// kinds and its number of repetitions. `attention_layers` is a list with one kind per block.
fn kinds(config: &Config, n_layers: usize) -> Result<Vec<bool>> {
    let key = config.present_alias(&["attention_types", "attention_layers"]);
    let entries = match config.get(key) {
        Some(_) => config.list(key)?,
        None => return Ok((0..n_layers).map(|l| l % 2 == 1).collect()),
    };
    let mut kinds = vec![];
    for entry in entries {
        let (run, times) =
            match (entry, entry.get(0).and_then(Value::as_array), entry.get(1).and_then(Value::as_u64)) {
                (Value::String(_), ..) => (std::slice::from_ref(entry), 1),
                (_, Some(run), Some(times)) => (run.as_slice(), times.min(n_layers as u64 + 1)),
                _ => return config.unsupported(key, entry),
            };
        for kind in (0..times).flat_map(|_| run).take(n_layers + 1 - kinds.len().min(n_layers)) {
            match kind.as_str() {
                Some("local") => kinds.push(true),
                Some("global") => kinds.push(false),
                _ => return config.unsupported(key, kind),
            }
        }
    }
    if kinds.len() == n_layers {
        Ok(kinds)
    } else {
        Err(config.fault(format!("{key} has {} entries for {n_layers} blocks", kinds.len())))
    }
}

impl Architecture for GptNeo {
    fn model_type(&self) -> &'static str {
        "gpt_neo"
    }

    fn summary(&self) -> &'static str {
        "GPT-Neo, TinyStories (GPT-2 with unscaled attention scores and local windows)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let d_model = config.size("hidden_size")?;
        let n_heads = config.count(config.present_alias(&["num_heads", "num_attention_heads"]))?;
        let n_layers = config.count(config.present_alias(&["num_layers", "num_hidden_layers"]))?;
        let init_std = config.positive_or("initializer_range", 0.02)?;
        let window = config.size_or("window_size", 256)?;
        let kinds = kinds(config, n_layers)?;
        Ok(Spec {
            d_model,
            d_embedding: d_model,
            n_layers,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: n_heads,
            head_dim: config.share(d_model, n_heads)?,
            d_mlp: config.size_or("intermediate_size", 4 * d_model)?,
            max_positions: config.size("max_position_embeddings")?,
            learned_positions: Some(0),
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
            layers: kinds
                .into_iter()
                .map(|local| Layer { window: local.then_some(window), ..Layer::default() })
                .collect(),
            attention_scale: 1.0,
            activation: config.activation("activation_function", "gelu_new")?,
            biases: Biases { qkv: false, ..Biases::BLOCKS },
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        })
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            qkv: Qkv::Split(["attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"]),
            output: "attn.attention.out_proj",
            transposed: false,
            ..gpt2::NAMES
        }
    }
}
