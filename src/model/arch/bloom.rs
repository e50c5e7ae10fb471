//! BLOOM: ALiBi instead of position embeddings, a norm of the embedding, and one fused map whose outputs are
//! the query, key and value of each head in turn.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, gpt2};
use crate::error::Result;
use crate::model::spec::{Alibi, Biases, Layer, Norm, Spec, alibi_slopes};

pub(super) struct Bloom;

/// The tensor names, which Falcon also uses.
pub(super) const NAMES: TensorNames = TensorNames {
    embedding: "word_embeddings",
    embedding_norm: "word_embeddings_layernorm",
    attention_norm: "input_layernorm",
    qkv: Qkv::Grouped("self_attention.query_key_value"),
    output: "self_attention.dense",
    mlp_norm: "post_attention_layernorm",
    mlp_in: MlpIn::Split { gate: "", up: "mlp.dense_h_to_4h" },
    mlp_out: "mlp.dense_4h_to_h",
    transposed: false,
    ..gpt2::NAMES
};

impl Architecture for Bloom {
    fn model_type(&self) -> &'static str {
        "bloom"
    }

    fn summary(&self) -> &'static str {
        "BLOOM (ALiBi, normalised embedding, layer norm, tanh gelu)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let d_model = config.size(config.present_alias(&["hidden_size", "n_embed"]))?;
        let n_heads = config.count(config.present_alias(&["num_attention_heads", "n_head"]))?;
        let n_layers = config.count(config.present_alias(&["num_hidden_layers", "n_layer"]))?;
        let head_dim = config.share(d_model, n_heads)?;
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
            // The architecture has no maximum window length; `seq_length` is the window length in training.
            max_positions: config.size_or("seq_length", 2048)?,
            embedding_norm: true,
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
            layers: vec![Layer::default(); n_layers],
            attention_scale: (head_dim as f32).powf(-0.5),
            alibi: Some(Alibi { slopes: alibi_slopes(n_heads), is_rounded: false }),
            biases: Biases::BLOCKS,
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        })
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
