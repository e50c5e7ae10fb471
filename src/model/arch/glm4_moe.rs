//! GLM 4.5 to 4.7: a mixture of experts weighted by sigmoids, rotary positions in half of each head, and an
//! additional last block that predicts the token after the next one. This block is not read.

use super::{Architecture, Config, TensorNames, dots1, llama, mixture, rotary};
use crate::error::Result;
use crate::model::spec::{Biases, Norm, QkNorm, Spec};

pub(super) struct Glm4Moe;

impl Architecture for Glm4Moe {
    fn model_type(&self) -> &'static str {
        "glm4_moe"
    }

    fn summary(&self) -> &'static str {
        "GLM 4.5, 4.6, 4.7 (Llama with half-rotated heads and a mixture of experts weighted by sigmoids)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let defaults = rotary::Defaults { fraction: 0.5, partial: true, ..rotary::USUAL };
        let mut spec = llama::base(config, defaults)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        spec.biases = Biases { qkv: config.flag_or("attention_bias", false)?, ..Biases::default() };
        spec.qk_norm = config.flag_or("use_qk_norm", false)?.then_some(QkNorm::Head);
        let first = config.size_or("first_k_dense_replace", 1)?;
        mixture::set(&mut spec, mixture::sigmoid(config, true, 1)?, |l| l >= first);
        let further = config.present_alias(&["num_nextn_predict_layers", "num_mtp_layers"]);
        spec.n_further_blocks = config.count_or(further, 1)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        dots1::NAMES
    }
}
