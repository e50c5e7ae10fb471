//! OPT: learned positions that start at row 2 of their table, layer norms, ReLU. OPT-350m differs: norms
//! apply to the stream itself after each branch, there is no final norm, and the embedding is narrower than
//! the stream, with linear maps between the two.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, gpt2};
use crate::error::Result;
use crate::model::spec::{Biases, BlockForm, Layer, Norm, Spec};

pub(super) struct Opt;

impl Architecture for Opt {
    fn model_type(&self) -> &'static str {
        "opt"
    }

    fn summary(&self) -> &'static str {
        "OPT (learned positions, ReLU, layer norms before each branch or, in OPT-350m, after it)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        if config.flag_or("_remove_final_layer_norm", false)? {
            return config.unsupported("_remove_final_layer_norm", true);
        }
        let (d_model, n_heads) = (config.size("hidden_size")?, config.count("num_attention_heads")?);
        let head_dim = config.share(d_model, n_heads)?;
        let n_layers = config.count("num_hidden_layers")?;
        let before = config.flag_or("do_layer_norm_before", true)?;
        let bias = config.flag_or("enable_bias", true)?;
        let init_std = config.positive_or("init_std", 0.02)?;
        Ok(Spec {
            d_model,
            d_embedding: config.size_or("word_embed_proj_dim", d_model)?,
            n_layers,
            vocab_size: config.size("vocab_size")?,
            n_heads,
            n_kv_heads: n_heads,
            head_dim,
            d_mlp: config.size("ffn_dim")?,
            max_positions: config.size("max_position_embeddings")?,
            learned_positions: Some(2),
            norm: Norm::Layer { eps: 1e-5, affine: config.flag_or("layer_norm_elementwise_affine", true)? },
            form: if before { BlockForm::Pre } else { BlockForm::PostResidual },
            layers: vec![Layer::default(); n_layers],
            attention_scale: (head_dim as f32).powf(-0.5),
            activation: config.activation("activation_function", "relu")?,
            biases: if bias { Biases::BLOCKS } else { Biases::default() },
            final_norm: before,
            tied: config.flag_or("tie_word_embeddings", true)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        })
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            prefixes: &["model.decoder.", "decoder.", ""],
            embedding: "embed_tokens",
            projections: ["project_in", "project_out"],
            positions: "embed_positions",
            blocks: "layers",
            attention_norm: "self_attn_layer_norm",
            qkv: Qkv::Split(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
            output: "self_attn.out_proj",
            mlp_norm: "final_layer_norm",
            mlp_in: MlpIn::Split { gate: "", up: "fc1" },
            mlp_out: "fc2",
            final_norm: "final_layer_norm",
            transposed: false,
            ..gpt2::NAMES
        }
    }
}
