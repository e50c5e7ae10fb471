//! GLM-4-0414: a GLM with norms before and after each branch.

use super::{Architecture, Config, TensorNames, glm};
use crate::error::Result;
use crate::model::spec::{BlockForm, Spec};

pub(super) struct Glm4;

impl Architecture for Glm4 {
    fn model_type(&self) -> &'static str {
        "glm4"
    }

    fn summary(&self) -> &'static str {
        "GLM-4-0414, GLM-Z1 (GLM with sandwich norms)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = glm::base(config)?;
        spec.form = BlockForm::Sandwich;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        TensorNames {
            attention_post_norm: "post_self_attn_layernorm",
            mlp_norm: "post_attention_layernorm",
            mlp_post_norm: "post_mlp_layernorm",
            ..glm::NAMES
        }
    }
}
