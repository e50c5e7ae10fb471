//! SmolLM3: a Llama in which some blocks (by default every fourth) have no positions.

use super::{Architecture, Config, TensorNames, llama, rotary, sliding_window};
use crate::error::Result;
use crate::model::spec::Spec;

pub(super) struct SmolLm3;

/// Whether each block has rotary positions. `no_rope_layers` has a 1 for each block with positions. Without
/// this key, every `no_rope_layer_interval`-th block has no positions.
fn turned(config: &Config, n_layers: usize) -> Result<Vec<bool>> {
    if config.get("no_rope_layers").is_none() {
        let interval = config.size_or("no_rope_layer_interval", 4)?;
        return Ok((0..n_layers).map(|l| interval == 0 || (l + 1) % interval != 0).collect());
    }
    let turned: Vec<bool> =
        config.list("no_rope_layers")?.iter().map(|flag| flag.as_u64() == Some(1)).collect();
    if turned.len() == n_layers {
        Ok(turned)
    } else {
        Err(config.fault(format!("no_rope_layers has {} entries for {n_layers} blocks", turned.len())))
    }
}

impl Architecture for SmolLm3 {
    fn model_type(&self) -> &'static str {
        "smollm3"
    }

    fn summary(&self) -> &'static str {
        "SmolLM3 (Llama in which some blocks have no positions)"
    }

    fn spec(&self, config: &Config) -> Result<Spec> {
        let mut spec = llama::base(config, rotary::Defaults { theta: 2e6, ..rotary::USUAL })?;
        spec.tied = config.flag_or("tie_word_embeddings", true)?;
        let turned = turned(config, spec.n_layers)?;
        for (layer, turned) in spec.layers.iter_mut().zip(&turned) {
            layer.rope = layer.rope.filter(|_| *turned);
        }
        config.mark_inert(&["sliding_window", "max_window_layers", "layer_types", "no_rope_layer_interval"]);
        if config.flag_or("use_sliding_window", false)? {
            let window = config.optional("sliding_window", None, Config::size)?;
            let sliding = sliding_window::slides(config, spec.n_layers, |l| !turned[l])?;
            sliding_window::set_windows(&mut spec, window, &sliding);
        }
        Ok(spec)
    }

    fn tensor_names(&self, _spec: &Spec) -> TensorNames {
        llama::NAMES
    }
}
