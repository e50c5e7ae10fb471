//! Determines which blocks have a sliding window. The key `layer_types` (transformers 5) lists them; without
//! this key, a rule of the architecture applies.

use super::config::Config;
use crate::error::Result;
use crate::model::spec::Spec;

/// Whether each block has a sliding window: by `layer_types` if the config has this key, otherwise by the
/// architecture's rule for block `l` (from 0).
///
/// # Errors
/// If the list has the wrong length or names an unsupported kind of attention.
pub(super) fn slides(config: &Config, n_layers: usize, rule: impl Fn(usize) -> bool) -> Result<Vec<bool>> {
    if config.get("layer_types").is_none() {
        return Ok((0..n_layers).map(rule).collect());
    }
    let types = config.list("layer_types")?;
    if types.len() != n_layers {
        return Err(config.fault(format!("layer_types has {} entries for {n_layers} blocks", types.len())));
    }
    let slides = |kind: &serde_json::Value| match kind.as_str() {
        Some("sliding_attention") => Ok(true),
        Some("full_attention") => Ok(false),
        _ => config.unsupported("layer_types", kind),
    };
    types.iter().map(slides).collect()
}

/// Sets the window of the sliding-window blocks, if there is a window.
pub(super) fn set_windows(spec: &mut Spec, window: Option<usize>, sliding: &[bool]) {
    for (layer, slides) in spec.layers.iter_mut().zip(sliding) {
        layer.window = window.filter(|_| *slides);
    }
}
