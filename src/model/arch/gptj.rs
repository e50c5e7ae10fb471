//! GPT-J: parallel branches after one layer norm, and interleaved rotary pairs in the first values of each
//! head.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, gpt2, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, BlockForm, Layer, Norm, Rope, Spec};

pub(super) struct GptJ;

impl Architecture for GptJ {
    fn model_type(&self) -> &'static str {
        "gptj"
    }

    fn summary(&self) -> &'static str {
        "GPT-J (parallel branches, interleaved rotary positions, layer norm)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let d_model = config.size(config.present_alias(&["n_embd", "hidden_size"]))?;
        let n_heads = config.count(config.present_alias(&["n_head", "num_attention_heads"]))?;
        let head_dim = config.share(d_model, n_heads)?;
        let n_layers = config.count(config.present_alias(&["n_layer", "num_hidden_layers"]))?;
        let init_std = config.positive_or("initializer_range", 0.02)?;
        let rotated = config.size_or("rotary_dim", 64)?;
        let inv_freq = rotary::frequencies(config, rotated, head_dim, 10_000.0)?;
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
            norm: Norm::Layer { eps: config.positive_or("layer_norm_epsilon", 1e-5)?, affine: true },
            form: BlockForm::Parallel { shared_norm: true },
            ropes: vec![Rope {
                inv_freq: inv_freq.into_iter().map(|f| f as f32).collect(),
                attention_factor: 1.0,
                interleaved: true,
            }],
            layers: vec![Layer { rope: Some(0), ..Layer::default() }; n_layers],
            attention_scale: (head_dim as f32).powf(-0.5),
            activation: config.activation("activation_function", "gelu_new")?,
            biases: Biases { mlp: true, head: true, ..Biases::default() },
            tied: config.flag_or("tie_word_embeddings", false)?,
            init_std,
            residual_init_std: init_std,
            ..Spec::default()
        })
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            qkv: Qkv::Split(["attn.q_proj", "attn.k_proj", "attn.v_proj"]),
            output: "attn.out_proj",
            mlp_in: MlpIn::Split { gate: "", up: "mlp.fc_in" },
            mlp_out: "mlp.fc_out",
            transposed: false,
            ..gpt2::NAMES
        }
    }
}
