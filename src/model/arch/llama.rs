//! Llama: rotary positions, root-mean-square norms, grouped keys and values, gated SiLU MLP, separate
//! projections. Many later architectures differ from Llama only in a few settings, and use [`base`] and
//! [`NAMES`].

use super::tensor_names::{ExpertNames, MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, Spec};

pub(super) struct Llama;

/// The tensor names of most architectures since Llama.
pub(super) const NAMES: TensorNames = TensorNames {
    prefixes: &["model.", ""],
    embedding: "embed_tokens",
    embedding_norm: "",
    projections: [""; 2],
    positions: "",
    blocks: "layers",
    attention_norm: "input_layernorm",
    attention_post_norm: "",
    qkv: Qkv::Split(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
    qk_norms: ["self_attn.q_norm", "self_attn.k_norm"],
    sinks: "self_attn.sinks",
    output: "self_attn.o_proj",
    mlp_norm: "post_attention_layernorm",
    mlp_post_norm: "",
    mlp_in: MlpIn::Split { gate: "mlp.gate_proj", up: "mlp.up_proj" },
    mlp_out: "mlp.down_proj",
    experts: ExpertNames::USUAL,
    final_norm: "norm",
    head: "lm_head",
    transposed: false,
    norms_less_one: false,
};

/// The spec of a Llama, with the rotary defaults of the calling architecture.
pub(super) fn base(config: &Config, rope: rotary::Defaults) -> Result<Spec> {
    let (d_model, n_heads) = (config.size("hidden_size")?, config.count("num_attention_heads")?);
    let head_dim = match config.get("head_dim") {
        Some(_) => config.count("head_dim")?,
        None => config.share(d_model, n_heads)?,
    };
    let attention_bias = config.flag_or("attention_bias", false)?;
    let init_std = config.positive_or("initializer_range", 0.02)?;
    let mut spec = Spec {
        d_model,
        d_embedding: d_model,
        n_layers: config.count("num_hidden_layers")?,
        vocab_size: config.size("vocab_size")?,
        n_heads,
        n_kv_heads: config.size_or("num_key_value_heads", n_heads)?,
        head_dim,
        d_mlp: config.size("intermediate_size")?,
        max_positions: config.size_or("max_position_embeddings", 2048)?,
        norm: Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-6)?, offset: false },
        attention_scale: (head_dim as f32).powf(-0.5),
        activation: config.activation("hidden_act", "silu")?,
        gated: true,
        biases: Biases {
            qkv: attention_bias,
            output: attention_bias,
            mlp: config.flag_or("mlp_bias", false)?,
            head: false,
        },
        tied: config.flag_or("tie_word_embeddings", false)?,
        init_std,
        residual_init_std: init_std,
        ..Spec::default()
    };
    rotary::rotate(&mut spec, config, rope)?;
    Ok(spec)
}

impl Architecture for Llama {
    fn model_type(&self) -> &'static str {
        "llama"
    }

    fn summary(&self) -> &'static str {
        "Llama 1 to 3, OpenLLaMA, TinyLlama, SmolLM (rotary positions with linear and llama3 scaling, RMS \
         norm, gated SiLU, grouped keys and values)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config, rotary::USUAL)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
