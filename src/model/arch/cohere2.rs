//! Cohere's Command R7B and A: a Command R in which three of four blocks have a sliding window and rotary
//! positions. The other blocks have full attention and no positions.

use super::{Architecture, Config, TensorNames, cohere, llama, sliding_window};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct Cohere2;

impl Architecture for Cohere2 {
    fn model_type(&self) -> &'static str {
        "cohere2"
    }

    fn summary(&self) -> &'static str {
        "Cohere Command R7B and A (Command R with a sliding window in some blocks and no positions in the \
         others)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = cohere::base(config, 10_000.0)?;
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let pattern = config
            .size_or(config.present_alias(&["sliding_window_pattern", "_sliding_window_pattern"]), 4)?;
        let sliding =
            sliding_window::slides(config, spec.n_layers, |l| pattern == 0 || (l + 1) % pattern != 0)?;
        sliding_window::set_windows(&mut spec, window, &sliding);
        for layer in &mut spec.layers {
            layer.rope = layer.rope.filter(|_| layer.window.is_some());
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
