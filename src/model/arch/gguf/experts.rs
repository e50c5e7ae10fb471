//! Converts mixtures of experts. Most files do not store how the weights of the experts are computed, because
//! llama.cpp has a fixed rule for each architecture.

use serde_json::Value;

use super::form::ConfigMap;
use super::keys::Keys;
use super::scales::granite;
use crate::error::Result;

/// Sets the number of experts (key `number`), the number of experts per token, and the width of an expert
/// (key `width`).
fn base(keys: &Keys, config: &mut ConfigMap, number: &str, width: &str) -> Result<()> {
    config.insert(number.into(), keys.required("expert_count")?.into());
    config.insert("num_experts_per_tok".into(), keys.required("expert_used_count")?.into());
    if !width.is_empty() {
        let stored = keys.gguf().shape("blk.0.ffn_down_exps.weight").and_then(|shape| shape.last().copied());
        let width_of_file = keys.size("expert_feed_forward_length")?.or(stored);
        config.insert(width.into(), width_of_file.map_or(Value::Null, Value::from));
    } else {
        // This key only repeats the width of the MLP. Reading the key marks it as requested.
        keys.size("expert_feed_forward_length")?;
    }
    keys.size("expert_shared_count")?;
    // `expert_gating_func` 1 is a softmax over all experts, 3 a softmax over the chosen experts. Both are
    // accepted, because the architecture determines which of them applies.
    for (key, usual) in [("expert_gating_func", [1.0, 3.0]), ("expert_weights_scale", [1.0, 0.0])] {
        if let Some(value) = keys.number(key)?.filter(|value| !usual.contains(value)) {
            return Err(keys.unsupported(key, value));
        }
    }
    Ok(())
}

/// Sets whether the weights of the chosen experts are normalised to a sum of 1.
fn normalised(keys: &Keys, config: &mut ConfigMap, usual: bool) -> Result<()> {
    let is_on = keys.flag("expert_weights_norm")?.unwrap_or(usual);
    config.insert("norm_topk_prob".into(), is_on.into());
    Ok(())
}

/// The width of the shared expert; `None` if there is no shared expert.
fn shared_width(keys: &Keys) -> Result<Option<usize>> {
    let stored = keys.gguf().shape("blk.0.ffn_down_shexp.weight").and_then(|shape| shape.last().copied());
    Ok(keys.size("expert_shared_feed_forward_length")?.filter(|width| *width > 0).or(stored))
}

pub(super) fn mixtral(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    config.insert("model_type".into(), "mixtral".into());
    base(keys, config, "num_local_experts", "")?;
    config.retain(|key, _| key != "attention_bias" && key != "mlp_bias");
    Ok(())
}

pub(super) fn olmoe(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    base(keys, config, "num_experts", "")?;
    normalised(keys, config, false)?;
    if let Some(limit) = keys.number("attention.clamp_kqv")?.filter(|limit| *limit != 0.0) {
        config.insert("clip_qkv".into(), limit.into());
    }
    Ok(())
}

pub(super) fn qwen2_moe(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    base(keys, config, "num_experts", "moe_intermediate_size")?;
    normalised(keys, config, false)?;
    let shared = shared_width(keys)?.map_or(Value::Null, Value::from);
    config.insert("shared_expert_intermediate_size".into(), shared);
    Ok(())
}

pub(super) fn qwen3_moe(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    base(keys, config, "num_experts", "moe_intermediate_size")?;
    normalised(keys, config, true)
}

/// Converts Granite with experts. If the file has a shared expert, sets the `model_type` with a shared
/// expert.
pub(super) fn granite_moe(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    granite(keys, config)?;
    base(keys, config, "num_local_experts", "")?;
    if let Some(width) = shared_width(keys)? {
        config.insert("model_type".into(), "granitemoeshared".into());
        config.insert("shared_intermediate_size".into(), width.into());
    }
    Ok(())
}

/// gpt-oss. Sets the window, which every other block has.
pub(super) fn gpt_oss(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    base(keys, config, "num_local_experts", "")?;
    config.insert("sliding_window".into(), keys.size("attention.sliding_window")?.unwrap_or(128).into());
    // The published models use YaRN without rounding its limits, and GGUF has no key for this setting.
    if let Some(rope) = config.get_mut("rope_parameters").filter(|rope| rope["rope_type"] == "yarn") {
        rope["truncate"] = false.into();
    }
    Ok(())
}
