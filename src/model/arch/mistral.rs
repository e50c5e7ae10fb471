//! Mistral: a Llama whose tokens see a sliding window.

use super::{Architecture, Config, Names, layers, llama, rotary};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Mistral;

impl Architecture for Mistral {
    fn model_type(&self) -> &'static str {
        "mistral"
    }

    fn summary(&self) -> &'static str {
        "Mistral (Llama with a sliding window)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let sliding = layers::sliding(config, spec.n_layers, |_| true)?;
        layers::set_windows(&mut spec, window, &sliding);
        Ok(spec)
    }

    fn names(&self, _spec: &Spec) -> Names {
        llama::NAMES
    }
}
