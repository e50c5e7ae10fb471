//! GPT-2: learned positions, layer norms before attention and MLP, one fused map to queries, keys and values,
//! weights stored as `(in, out)` (Conv1D), and a tied head.

use super::tensor_names::{ExpertNames, MlpIn, Qkv};
use super::{Architecture, Config, TensorNames};
use crate::error::Result;
use crate::model::spec::{Biases, Layer, Norm, Spec};

pub(super) struct Gpt2;

/// The tensor names of GPT-2. Several other architectures change only a few of these names. Some files omit
/// the prefix.
pub(super) const NAMES: TensorNames = TensorNames {
    prefixes: &["transformer.", ""],
    embedding: "wte",
    embedding_norm: "",
    projections: [""; 2],
    positions: "wpe",
    blocks: "h",
    attention_norm: "ln_1",
    attention_post_norm: "",
    qkv: Qkv::Concat("attn.c_attn"),
    qk_norms: [""; 2],
    sinks: "",
    output: "attn.c_proj",
    mlp_norm: "ln_2",
    mlp_post_norm: "",
    mlp_in: MlpIn::Split { gate: "", up: "mlp.c_fc" },
    mlp_out: "mlp.c_proj",
    experts: ExpertNames::USUAL,
    final_norm: "ln_f",
    head: "lm_head",
    transposed: true,
    norms_less_one: false,
};

/// The spec that GPT-2 and similar architectures have in common.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let d_model = config.size(config.present_alias(&["n_embd", "hidden_size"]))?;
    let n_heads = config.count(config.present_alias(&["n_head", "num_attention_heads"]))?;
    let head_dim = config.share(d_model, n_heads)?;
    let scaled = config.flag_or("scale_attn_weights", true)?;
    let n_layers = config.count(config.present_alias(&["n_layer", "num_hidden_layers"]))?;
    let init_std = config.positive_or("initializer_range", 0.02)?;
    Ok(Spec {
        d_model,
        d_embedding: d_model,
        n_layers,
        vocab_size: config.size("vocab_size")?,
        n_heads,
        n_kv_heads: n_heads,
        head_dim,
        d_mlp: config.size_or("n_inner", 4 * d_model)?,
        max_positions: config.size(config.present_alias(&["n_positions", "max_position_embeddings"]))?,
        learned_positions: Some(0),
        norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
        layers: vec![Layer::default(); n_layers],
        attention_scale: if scaled { (head_dim as f32).powf(-0.5) } else { 1.0 },
        activation: config.activation("activation_function", "gelu_new")?,
        biases: Biases::BLOCKS,
        tied: config.flag_or("tie_word_embeddings", true)?,
        init_std,
        // These smaller initial weights prevent the variance of the stream from growing with depth (Radford
        // et al. 2019).
        residual_init_std: init_std / (2.0 * n_layers as f64).sqrt(),
        ..Spec::default()
    })
}

impl Architecture for Gpt2 {
    fn model_type(&self) -> &'static str {
        "gpt2"
    }

    fn summary(&self) -> &'static str {
        "GPT-2 (learned positions, layer norm, tanh gelu, tied head)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
