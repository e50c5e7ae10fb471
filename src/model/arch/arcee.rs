//! Arcee's AFM: a Llama whose MLP has a squared ReLU and no gate.

use super::tensor_names::MlpIn;
use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Arcee;

/// The tensor names of Llama, without the gate of the MLP.
pub(super) const NAMES: TensorNames =
    TensorNames { mlp_in: MlpIn::Split { gate: "", up: "mlp.up_proj" }, ..llama::NAMES };

impl Architecture for Arcee {
    fn model_type(&self) -> &'static str {
        "arcee"
    }

    fn summary(&self) -> &'static str {
        "Arcee AFM (Llama with a squared ReLU without gate)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.activation = config.activation("hidden_act", "relu2")?;
        spec.gated = false;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
