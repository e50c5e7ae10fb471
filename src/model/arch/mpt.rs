//! MPT: ALiBi instead of position embeddings, and linear maps and layer norms without biases.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, gpt2};
use crate::error::Result;
use crate::model::spec::{Activation, Alibi, Layer, Norm, Spec};

pub(super) struct Mpt;

/// Slopes `2^(-8 i / n)` for `i = 1..=n`, where `n` is the number of heads rounded up to a power of two. If
/// `n` exceeds the number of heads, the slopes with even `i` come first, then the slopes with odd `i`, and
/// the list is truncated to the number of heads.
fn slopes(n_heads: usize) -> Vec<f32> {
    let n = n_heads.next_power_of_two();
    let slope = |i: usize| (-8.0 * (i + 1) as f64 / n as f64).exp2() as f32;
    if n == n_heads {
        return (0..n).map(slope).collect();
    }
    (1..n).step_by(2).chain((0..n).step_by(2)).take(n_heads).map(slope).collect()
}

impl Architecture for Mpt {
    fn model_type(&self) -> &'static str {
        "mpt"
    }

    fn summary(&self) -> &'static str {
        "MPT (ALiBi, layer norms and maps without bias, erf gelu)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let d_model = config.size(config.present_alias(&["d_model", "hidden_size"]))?;
        let n_heads = config.count(config.present_alias(&["n_heads", "num_attention_heads"]))?;
        let n_layers = config.count(config.present_alias(&["n_layers", "num_hidden_layers"]))?;
        let head_dim = config.share(d_model, n_heads)?;
        let nested = config.object("attn_config")?;
        let attention = nested.as_ref().unwrap_or(config);
        for (key, does) in [("alibi", true), ("qk_ln", false), ("prefix_lm", false)] {
            if attention.flag_or(key, does)? != does {
                return config.unsupported(&format!("attn_config.{key}"), !does);
            }
        }
        let kind = attention.text_or("attn_type", "multihead_attention")?;
        if kind != "multihead_attention" {
            return config.unsupported("attn_config.attn_type", kind);
        }
        let steepest = attention.positive_or("alibi_bias_max", 8.0)?;
        if steepest != 8.0 {
            return config.unsupported("attn_config.alibi_bias_max", steepest);
        }
        // These keys occur in all config files, but the reference implementation ignores them.
        config.mark_inert(&[
            "learned_pos_emb",
            "no_bias",
            "expansion_ratio",
            "norm_type",
            "embedding_fraction",
        ]);
        let scale = attention.optional("softmax_scale", None, Config::positive)?;
        let init_std = config.positive_or("initializer_range", 0.02)?;
        Ok(Spec {
            d_model,
            d_embedding: d_model,
            n_layers,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: n_heads,
            head_dim,
            d_mlp: 4 * d_model,
            max_positions: config.size_or("max_seq_len", 2048)?,
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
            norm_bias: false,
            layers: vec![Layer::default(); n_layers],
            attention_scale: scale.map_or((head_dim as f32).powf(-0.5), |scale| scale as f32),
            alibi: Some(Alibi { slopes: slopes(n_heads), is_rounded: false }),
            clip_qkv: attention.optional("clip_qkv", None, Config::positive)?,
            activation: Activation::GeluErf,
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        })
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            blocks: "blocks",
            attention_norm: "norm_1",
            qkv: Qkv::Concat("attn.Wqkv"),
            output: "attn.out_proj",
            mlp_norm: "norm_2",
            mlp_in: MlpIn::Split { gate: "", up: "ffn.up_proj" },
            mlp_out: "ffn.down_proj",
            final_norm: "norm_f",
            transposed: false,
            ..gpt2::NAMES
        }
    }
}
