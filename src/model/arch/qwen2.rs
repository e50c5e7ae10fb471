//! Qwen 2 and 2.5: a Llama with biases of queries, keys and values, and an optional window in the later
//! blocks.

use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::{Biases, Spec};

pub(super) struct Qwen2;

/// Sets a window in the blocks from `max_window_layers` on if `use_sliding_window` is set.
pub(super) fn later_windows(spec: &mut Spec, config: &Config) -> Result<()> {
    // Published configs have these keys even if `use_sliding_window` is false. The keys then have no effect.
    config.mark_inert(&["sliding_window", "max_window_layers", "layer_types"]);
    if config.flag_or("use_sliding_window", false)? {
        let window = config.optional("sliding_window", Some(4096), Config::size)?;
        let first = config.size_or("max_window_layers", 28)?;
        let sliding = sliding_window::slides(config, spec.n_layers, |l| l >= first)?;
        sliding_window::set_windows(spec, window, &sliding);
    }
    Ok(())
}

impl Architecture for Qwen2 {
    fn model_type(&self) -> &'static str {
        "qwen2"
    }

    fn summary(&self) -> &'static str {
        "Qwen2, Qwen2.5 (Llama with biases of queries, keys and values)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::USUAL)?;
        spec.biases = Biases { qkv: true, ..Biases::default() };
        later_windows(&mut spec, config)?;
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
