//! Llama: rotary positions, root-mean-square norms, grouped keys and values, gated SiLU MLP, separate projections `(out, in)`.

use super::{Architecture, Config};
use crate::error::Result;
use crate::model::decoder::{Block, Linear, Mlp, NormWeights, Parts};
use crate::model::spec::{Activation, Norm, Positions, Spec};
use crate::model::weights::{Init, Source};

pub(super) struct Llama;

/// No published head is wider than 512. The inverse frequencies are made before any tensor is seen that could belie an absurd width.
const MAX_HEAD_DIM: usize = 65_536;

impl Architecture for Llama {
    fn model_type(&self) -> &'static str {
        "llama"
    }

    fn summary(&self) -> &'static str {
        "Llama without rope scaling (rotary positions, RMS norm, gated SiLU, grouped keys and values)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let activation = match config.text_or("hidden_act", "silu")? {
            "silu" | "swish" => Activation::Silu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            other => return config.unsupported("hidden_act", other),
        };
        for key in ["attention_bias", "mlp_bias"] {
            if config.flag_or(key, false)? {
                return config.unsupported(key, true);
            }
        }
        let (d_model, n_heads) = (config.size("hidden_size")?, config.size("num_attention_heads")?);
        let head_dim = match config.get("head_dim") {
            Some(_) => config.size("head_dim")?,
            None if n_heads > 0 && d_model % n_heads == 0 => d_model / n_heads,
            None => {
                return Err(config.fault(format!(
                    "hidden_size {d_model} is no multiple of num_attention_heads {n_heads}, and head_dim is missing"
                )));
            }
        };
        if head_dim % 2 != 0 || head_dim > MAX_HEAD_DIM {
            let reason = format!("head_dim is {head_dim}; rotary positions need an even one up to {MAX_HEAD_DIM}");
            return Err(config.fault(reason));
        }
        let theta = rope_theta(config)?;
        let inv_freq = (0..head_dim / 2).map(|i| theta.powf(-2.0 * i as f64 / head_dim as f64) as f32).collect();
        Ok(Spec {
            d_model,
            n_layers: config.size("num_hidden_layers")?,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: config.size_or("num_key_value_heads", n_heads)?,
            head_dim,
            d_mlp: config.size("intermediate_size")?,
            max_positions: config.size_or("max_position_embeddings", 2048)?,
            norm: Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-6)? },
            activation,
            positions: Positions::Rotary { inv_freq },
            attention_scale: (head_dim as f32).powf(-0.5),
            tied: config.flag_or("tie_word_embeddings", false)?,
            init_std: config.positive_or("initializer_range", 0.02)?,
        })
    }

    fn parts(&self, spec: &Spec, source: &dyn Source) -> Result<Parts> {
        let d = spec.d_model;
        let normal = Init::Normal(spec.init_std);
        let prefix = if source.has("embed_tokens.weight") { "" } else { "model." };
        let norm = |name: &str| -> Result<NormWeights> {
            let weight = source.tensor(&format!("{prefix}{name}.weight"), &[d], Init::Ones)?;
            Ok(NormWeights { weight, bias: None })
        };
        let linear = |name: &str, d_in: usize, d_out: usize| -> Result<Linear> {
            let weight = source.tensor(&format!("{prefix}{name}.weight"), &[d_out, d_in], normal)?;
            Ok(Linear { weight, bias: None })
        };
        let (d_query, d_kv) = (spec.n_heads * spec.head_dim, spec.n_kv_heads * spec.head_dim);
        let block = |l: usize| -> Result<Block> {
            let at = |name: &str| format!("layers.{l}.{name}");
            Ok(Block {
                attention_norm: norm(&at("input_layernorm"))?,
                query: linear(&at("self_attn.q_proj"), d, d_query)?,
                key: linear(&at("self_attn.k_proj"), d, d_kv)?,
                value: linear(&at("self_attn.v_proj"), d, d_kv)?,
                output: linear(&at("self_attn.o_proj"), d_query, d)?,
                mlp_norm: norm(&at("post_attention_layernorm"))?,
                mlp: Mlp {
                    gate: Some(linear(&at("mlp.gate_proj"), d, spec.d_mlp)?),
                    up: linear(&at("mlp.up_proj"), d, spec.d_mlp)?,
                    down: linear(&at("mlp.down_proj"), spec.d_mlp, d)?,
                },
            })
        };
        let embedding = source.tensor(&format!("{prefix}embed_tokens.weight"), &[spec.vocab_size, d], normal)?;
        let head = if spec.tied {
            embedding.clone()
        } else {
            source.tensor("lm_head.weight", &[spec.vocab_size, d], normal)?
        };
        Ok(Parts {
            embedding,
            positions: None,
            blocks: (0..spec.n_layers).map(block).collect::<Result<_>>()?,
            final_norm: norm("norm")?,
            head: Linear { weight: head, bias: None },
        })
    }
}

/// The base of the rotary angles: `rope_parameters.rope_theta` (transformers 5) or `rope_theta` with `rope_scaling` (before).
/// Reading only one spelling would load the other kind of file with the wrong base and no error.
fn rope_theta(config: &Config) -> Result<f64> {
    let top = config.positive_or("rope_theta", 10_000.0)?;
    let mut theta = top;
    for key in ["rope_parameters", "rope_scaling"] {
        if let Some(rope) = config.object(key)? {
            let kind = rope.text_or("rope_type", rope.text_or("type", "default")?)?;
            if kind != "default" {
                return config.unsupported(&format!("{key}.rope_type"), kind);
            }
            theta = rope.positive_or("rope_theta", theta)?;
        }
    }
    Ok(theta)
}
