//! Falcon in three forms: parallel branches after one layer norm, with one key-value head (7B); parallel
//! branches after two layer norms, with several key-value heads (40B, `new_decoder_architecture`); sequential
//! branches with ALiBi (RW).

use super::tensor_names::Qkv;
use super::{Architecture, Config, TensorNames, bloom, rotary};
use crate::error::Result;
use crate::model::spec::{Alibi, Biases, BlockForm, Layer, Norm, Spec, alibi_slopes};

pub(super) struct Falcon;

impl Architecture for Falcon {
    fn model_type(&self) -> &'static str {
        "falcon"
    }

    fn summary(&self) -> &'static str {
        "Falcon 7B, 40B, RW (rotary positions or ALiBi, parallel branches, few key and value heads, erf gelu)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let d_model = config.size(config.present_alias(&["hidden_size", "n_embed"]))?;
        let n_heads = config.count(config.present_alias(&["num_attention_heads", "n_head"]))?;
        let head_dim = config.share(d_model, n_heads)?;
        let is_new = config.flag_or("new_decoder_architecture", false)?;
        let multi_query = !is_new && config.flag_or("multi_query", true)?;
        let n_kv_heads = if is_new { config.count_or("num_kv_heads", n_heads)? } else { n_heads };
        if !is_new && !multi_query && config.count_or("num_kv_heads", n_heads)? != n_heads {
            return config.unsupported("num_kv_heads", config.count("num_kv_heads")?);
        }
        // In some forms of Falcon, the reference implementation ignores these keys.
        config.mark_inert(&["num_kv_heads", "multi_query"]);
        let parallel = config.flag_or("parallel_attn", true)?;
        if is_new && !parallel {
            return config.unsupported("parallel_attn", false);
        }
        let n_norms = config.count_or("num_ln_in_parallel_attn", if is_new { 2 } else { 1 })?;
        if (is_new && !(1..=2).contains(&n_norms)) || (!is_new && parallel && n_norms != 1) {
            return config.unsupported("num_ln_in_parallel_attn", n_norms);
        }
        let alibi = config.flag_or("alibi", false)?;
        let bias = config.flag_or("bias", false)?;
        let init_std = config.positive_or("initializer_range", 0.02)?;
        let mut spec = Spec {
            d_model,
            d_embedding: d_model,
            n_layers: config.count(config.present_alias(&["num_hidden_layers", "n_layer"]))?,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: if multi_query { 1 } else { n_kv_heads },
            head_dim,
            d_mlp: config.size_or("ffn_hidden_size", 4 * d_model)?,
            max_positions: config.size_or("max_position_embeddings", 2048)?,
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
            form: if parallel { BlockForm::Parallel { shared_norm: n_norms == 1 } } else { BlockForm::Pre },
            attention_scale: (head_dim as f32).powf(-0.5),
            activation: config.activation("activation", "gelu")?,
            biases: if bias { Biases::BLOCKS } else { Biases::default() },
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        };
        if alibi {
            config.mark_inert(&["rope_theta", "rope_scaling", "rope_parameters"]);
            spec.layers = vec![Layer::default(); spec.n_layers];
            spec.alibi = Some(Alibi { slopes: alibi_slopes(n_heads), is_rounded: true });
        } else {
            rotary::rotate(&mut spec, config, rotary::USUAL)?;
        }
        Ok(spec)
    }

    fn tensor_names(&self, spec: &Spec) -> TensorNames {
        let fused = "self_attention.query_key_value";
        let names = TensorNames {
            qkv: if spec.n_kv_heads == 1 { Qkv::Concat(fused) } else { Qkv::Grouped(fused) },
            ..bloom::NAMES
        };
        if spec.form == (BlockForm::Parallel { shared_norm: false }) {
            return TensorNames { attention_norm: "ln_attn", mlp_norm: "ln_mlp", ..names };
        }
        names
    }
}
