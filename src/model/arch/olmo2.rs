//! OLMo 2: a Llama with norms after each branch instead of before it, and with query-key normalisation (QK
//! norm) over all heads together.

use super::{Architecture, Config, TensorNames, llama, rotary};
use crate::error::Result;
use crate::model::spec::{BlockForm, Norm, QkNorm, Spec};

pub(super) struct Olmo2;

/// The tensor names. A block has two norms, one after each branch.
pub(super) const NAMES: TensorNames = TensorNames {
    attention_norm: "post_attention_layernorm",
    mlp_norm: "post_feedforward_layernorm",
    ..llama::NAMES
};

/// The spec of an OLMo 2, which OLMo 3 and FlexOlmo share.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let mut spec = llama::base(config, rotary::USUAL)?;
    spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
    spec.form = BlockForm::PostBranch;
    spec.qk_norm = Some(QkNorm::Full);
    Ok(spec)
}

impl Architecture for Olmo2 {
    fn model_type(&self) -> &'static str {
        "olmo2"
    }

    fn summary(&self) -> &'static str {
        "OLMo 2 (Llama with norms after each branch, and QK norm)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        NAMES
    }
}
