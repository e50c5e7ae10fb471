//! Ministral 3: a Mistral without window and with YaRN. At positions beyond the window length in training,
//! the model scales queries, which is not supported here; so windows are limited to that length.

use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Norm, Spec};

pub(super) struct Ministral3;

impl Architecture for Ministral3 {
    fn model_type(&self) -> &'static str {
        "ministral3"
    }

    fn summary(&self) -> &'static str {
        "Ministral 3 (Mistral with YaRN; inputs up to the context length in training)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let parameters = config.object("rope_parameters")?.or(config.object("rope_scaling")?);
        let Some(parameters) = parameters else {
            return Err(config.fault("neither key `rope_parameters` nor `rope_scaling` is present"));
        };
        let original = parameters.size("original_max_position_embeddings")?;
        let mut spec = llama::base(&config.with_default("head_dim", 128), rotary::USUAL)?;
        spec.norm = Norm::Rms { eps: config.positive_or("rms_norm_eps", 1e-5)?, offset: false };
        let window = config.optional("sliding_window", None, Config::size)?;
        let all = vec![true; spec.n_layers];
        sliding_window::set_windows(&mut spec, window, &all);
        spec.max_positions = spec.max_positions.min(original);
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
