//! GPT-2: learned positions, layer norms before attention and MLP, fused `[Q|K|V]`, weights stored `(in, out)` (Conv1D), tied head.

use super::{Architecture, Config};
use crate::error::Result;
use crate::model::decoder::{Block, Linear, Mlp, NormWeights, Parts};
use crate::model::spec::{Activation, Norm, Positions, Spec};
use crate::model::weights::{Init, Source};

pub(super) struct Gpt2;

impl Architecture for Gpt2 {
    fn model_type(&self) -> &'static str {
        "gpt2"
    }

    fn summary(&self) -> &'static str {
        "GPT-2 (learned positions, layer norm, tanh gelu, tied head)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        for key in ["scale_attn_by_inverse_layer_idx", "add_cross_attention"] {
            if config.flag_or(key, false)? {
                return config.unsupported(key, true);
            }
        }
        let activation = match config.text_or("activation_function", "gelu_new")? {
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "silu" | "swish" => Activation::Silu,
            other => return config.unsupported("activation_function", other),
        };
        let (d_model, n_heads) = (config.size("n_embd")?, config.size("n_head")?);
        if n_heads == 0 || d_model % n_heads != 0 {
            return Err(config.fault(format!("n_embd {d_model} is no multiple of n_head {n_heads}")));
        }
        let head_dim = d_model / n_heads;
        let scaled = config.flag_or("scale_attn_weights", true)?;
        Ok(Spec {
            d_model,
            n_layers: config.size("n_layer")?,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: n_heads,
            head_dim,
            d_mlp: config.size_or("n_inner", 4 * d_model)?,
            max_positions: config.size("n_positions").or_else(|error| config.size("n_ctx").map_err(|_| error))?,
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)? },
            activation,
            positions: Positions::Learned,
            attention_scale: if scaled { (head_dim as f32).powf(-0.5) } else { 1.0 },
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std: config.positive_or("initializer_range", 0.02)?,
        })
    }

    fn parts(&self, spec: &Spec, source: &dyn Source) -> Result<Parts> {
        let d = spec.d_model;
        let normal = Init::Normal(spec.init_std);
        // The projections back into the residual stream start smaller, so that its variance does not grow with depth (Radford et al. 2019).
        let residual = Init::Normal(spec.init_std / (2.0 * spec.n_layers as f64).sqrt());
        // Published files carry the prefix `transformer.` or none.
        let prefix = if source.has("wte.weight") { "" } else { "transformer." };
        let norm = |name: &str| -> Result<NormWeights> {
            Ok(NormWeights {
                weight: source.tensor(&format!("{prefix}{name}.weight"), &[d], Init::Ones)?,
                bias: Some(source.tensor(&format!("{prefix}{name}.bias"), &[d], Init::Zeros)?),
            })
        };
        let conv1d = |name: &str, d_in: usize, d_out: usize, init: Init| -> Result<Linear> {
            let weight = source.tensor(&format!("{prefix}{name}.weight"), &[d_in, d_out], init)?;
            Ok(Linear {
                weight: weight.t()?.contiguous()?,
                bias: Some(source.tensor(&format!("{prefix}{name}.bias"), &[d_out], Init::Zeros)?),
            })
        };
        let block = |l: usize| -> Result<Block> {
            let qkv = conv1d(&format!("h.{l}.attn.c_attn"), d, 3 * d, normal)?;
            let [query, key, value] = qkv.split([d, d, d])?;
            Ok(Block {
                attention_norm: norm(&format!("h.{l}.ln_1"))?,
                query,
                key,
                value,
                output: conv1d(&format!("h.{l}.attn.c_proj"), d, d, residual)?,
                mlp_norm: norm(&format!("h.{l}.ln_2"))?,
                mlp: Mlp {
                    gate: None,
                    up: conv1d(&format!("h.{l}.mlp.c_fc"), d, spec.d_mlp, normal)?,
                    down: conv1d(&format!("h.{l}.mlp.c_proj"), spec.d_mlp, d, residual)?,
                },
            })
        };
        let embedding = source.tensor(&format!("{prefix}wte.weight"), &[spec.vocab_size, d], normal)?;
        let head = if spec.tied {
            embedding.clone()
        } else {
            source.tensor("lm_head.weight", &[spec.vocab_size, d], normal)?
        };
        Ok(Parts {
            positions: Some(source.tensor(&format!("{prefix}wpe.weight"), &[spec.max_positions, d], normal)?),
            blocks: (0..spec.n_layers).map(block).collect::<Result<_>>()?,
            final_norm: norm("ln_f")?,
            head: Linear { weight: head, bias: None },
            embedding,
        })
    }
}
