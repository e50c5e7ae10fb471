//! Phi 1 to 2: parallel branches after one layer norm, partially rotated heads, and a bias in every map.

use super::tensor_names::MlpIn;
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, BlockForm, Norm, Spec};

pub(super) struct Phi;

impl Architecture for Phi {
    fn model_type(&self) -> &'static str {
        "phi"
    }

    fn summary(&self) -> &'static str {
        "Phi-1, Phi-1.5, Phi-2 (parallel branches, layer norm, partly rotated heads, biases)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec =
            llama::base(config, rotary::Defaults { fraction: 0.5, partial: true, ..rotary::USUAL })?;
        spec.norm = Norm::Layer { eps: config.positive_or("layer_norm_eps", 1e-5)?, affine: true };
        spec.form = BlockForm::Parallel { shared_norm: true };
        spec.activation = config.activation("hidden_act", "gelu_new")?;
        spec.gated = false;
        spec.biases = Biases { head: true, ..Biases::BLOCKS };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            output: "self_attn.dense",
            mlp_in: MlpIn::Split { gate: "", up: "mlp.fc1" },
            mlp_out: "mlp.fc2",
            final_norm: "final_layernorm",
            ..llama::NAMES
        }
    }
}
