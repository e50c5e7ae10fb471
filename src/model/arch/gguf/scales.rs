//! Converts the multipliers of Granite and the clipping limit of OLMo.

use super::form::ConfigMap;
use super::keys::Keys;
use crate::error::Result;

/// Converts the four multipliers of Granite.
pub(super) fn granite(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    for (from, to) in [
        ("attention.scale", "attention_multiplier"),
        ("embedding_scale", "embedding_multiplier"),
        ("residual_scale", "residual_multiplier"),
        ("logit_scale", "logits_scaling"),
    ] {
        if let Some(scale) = keys.number(from)?.filter(|scale| *scale != 0.0) {
            config.insert(to.into(), scale.into());
        }
    }
    // If the key is absent, the scale of attention scores is `1 / sqrt(head_dim)` in a GGUF file, but 1 in a
    // config.json.
    if !config.contains_key("attention_multiplier") {
        let head_dim = config.get("head_dim").and_then(serde_json::Value::as_f64).unwrap_or(1.0);
        config.insert("attention_multiplier".into(), head_dim.powf(-0.5).into());
    }
    Ok(())
}

/// Converts OLMo's clipping limit of queries, keys and values. Removes the epsilon, which is fixed in OLMo.
pub(super) fn clip(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    config.remove("layer_norm_epsilon");
    if let Some(limit) = keys.number("attention.clamp_kqv")?.filter(|limit| *limit != 0.0) {
        config.insert("clip_qkv".into(), limit.into());
    }
    Ok(())
}
