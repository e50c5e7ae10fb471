//! Which blocks have a sliding window: `layer_types` (transformers 5), or the rule that an architecture had
//! before.

use super::config::Config;
use crate::error::Result;
use crate::model::spec::Spec;

/// Whether each block's attention slides, by `layer_types` where the config has it, otherwise by the
/// architecture's rule for block `l` (from 0).
///
/// # Errors
/// If the list has another length or names a kind of attention that the decoder does not have.
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

/// Gives the blocks that slide their window, if there is one.
pub(super) fn set_windows(spec: &mut Spec, window: Option<usize>, sliding: &[bool]) {
    for (layer, slides) in spec.layers.iter_mut().zip(sliding) {
        layer.window = window.filter(|_| *slides);
    }
}
