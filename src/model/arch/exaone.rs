//! EXAONE 3: a Llama with different names of config keys and tensors.

use super::tensor_names::{MlpIn, Qkv};
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Exaone;

/// The keys of the original code, each with the equivalent key of Llama.
const ALIASES: [(&str, &str); 3] = [
    ("num_layers", "num_hidden_layers"),
    ("layer_norm_epsilon", "rms_norm_eps"),
    ("activation_function", "hidden_act"),
];

impl Architecture for Exaone {
    fn model_type(&self) -> &'static str {
        "exaone"
    }

    fn summary(&self) -> &'static str {
        "EXAONE 3, 3.5 (Llama with other tensor names)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let renamed = ALIASES.iter().fold(config.clone(), |config, (from, to)| match config.get(from) {
            Some(value) => config.clone().with_absent(to, value),
            None => config,
        });
        let mut spec = llama::base(&renamed, rotary::Defaults { theta: 500_000.0, ..rotary::USUAL })?;
        spec.norm = Norm::Rms { eps: renamed.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            prefixes: &["transformer.", ""],
            embedding: "wte",
            blocks: "h",
            attention_norm: "ln_1",
            qkv: Qkv::Split(["attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj"]),
            output: "attn.attention.out_proj",
            mlp_norm: "ln_2",
            mlp_in: MlpIn::Split { gate: "mlp.c_fc_0", up: "mlp.c_fc_1" },
            mlp_out: "mlp.c_proj",
            final_norm: "ln_f",
            ..llama::NAMES
        }
    }
}
