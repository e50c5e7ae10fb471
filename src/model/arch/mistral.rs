//! Mistral: a Llama with a sliding window.

use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Mistral;

/// The spec of a Mistral, which Ministral shares.
pub(super) fn base(config: &Config) -> Result<Spec> {
    let mut spec = llama::base(config, rotary::USUAL)?;
    let window = config.optional("sliding_window", Some(4096), Config::size)?;
    let sliding = sliding_window::slides(config, spec.n_layers, |_| true)?;
    sliding_window::set_windows(&mut spec, window, &sliding);
    Ok(spec)
}

impl Architecture for Mistral {
    fn model_type(&self) -> &'static str {
        "mistral"
    }

    fn summary(&self) -> &'static str {
        "Mistral (Llama with a sliding window)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        base(config)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
