//! The Falcon 7B family: rotary positions, attention and MLP in parallel behind one layer norm, one key and
//! value head. Falcon 40B's `new_decoder_architecture` and the ALiBi of Falcon-RW are refused.

use super::tensor_names::Qkv;
use super::{Architecture, Config, TensorNames, bloom, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Form, Norm, Spec};

pub(super) struct Falcon;

impl Architecture for Falcon {
    fn model_type(&self) -> &'static str {
        "falcon"
    }

    fn summary(&self) -> &'static str {
        "Falcon 7B (rotary positions, parallel branches, one key and value head, erf gelu)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        if config.flag_or("alibi", false)? {
            return config.unsupported("alibi", true);
        }
        let d_model = config.size(config.present_alias(&["hidden_size", "n_embed"]))?;
        let n_heads = config.count(config.present_alias(&["num_attention_heads", "n_head"]))?;
        let head_dim = config.share(d_model, n_heads)?;
        let multi_query = config.flag_or("multi_query", true)?;
        if !multi_query && config.count_or("num_kv_heads", n_heads)? != n_heads {
            return config.unsupported("num_kv_heads", config.count("num_kv_heads")?);
        }
        // With one key and value head for all, the reference implementation does not read it.
        config.mark_inert(&["num_kv_heads"]);
        let parallel = config.flag_or("parallel_attn", true)?;
        let bias = config.flag_or("bias", false)?;
        let init_std = config.positive_or("initializer_range", 0.02)?;
        let mut spec = Spec {
            d_model,
            d_embedding: d_model,
            n_layers: config.count(config.present_alias(&["num_hidden_layers", "n_layer"]))?,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: if multi_query { 1 } else { n_heads },
            head_dim,
            d_mlp: config.size_or("ffn_hidden_size", 4 * d_model)?,
            max_positions: config.size_or("max_position_embeddings", 2048)?,
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
            form: if parallel { Form::Parallel { shared_norm: true } } else { Form::Pre },
            attention_scale: (head_dim as f32).powf(-0.5),
            activation: config.activation("activation", "gelu")?,
            biases: if bias { Biases::BLOCKS } else { Biases::default() },
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        };
        rotary::rotate(&mut spec, config, rotary::USUAL)?;
        Ok(spec)
    }

    fn tensor_names(&self, spec: &Spec) -> TensorNames {
        let fused = "self_attention.query_key_value";
        TensorNames {
            qkv: if spec.n_kv_heads == 1 { Qkv::Concat(fused) } else { Qkv::PerHead(fused) },
            ..bloom::NAMES
        }
    }
}
