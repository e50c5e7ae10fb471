//! Converts the metadata of architectures whose blocks have several variants.

use serde_json::{Value, json};

use super::experts::mixtral;
use super::form::ConfigMap;
use super::gemma::windows;
use super::keys::Keys;
use crate::error::Result;

/// Sets a sliding window in every block.
pub(super) fn window(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if let Some(window) = keys.size("attention.sliding_window")?.filter(|window| *window != 0) {
        config.insert("sliding_window".into(), window.into());
    }
    Ok(())
}

/// Llama: sets the `model_type` of Mistral and Mixtral, whose files have the architecture `llama`, too. Most
/// files of Mistral do not store the window, so they are read as Llama.
pub(super) fn llama(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    window(keys, config)?;
    if keys.size("expert_count")?.is_some_and(|n| n > 0) {
        return mixtral(keys, config);
    }
    if config.contains_key("sliding_window") {
        config.insert("model_type".into(), "mistral".into());
        config.remove("attention_bias");
        config.remove("mlp_bias");
    }
    Ok(())
}

/// GPT-NeoX: sets whether the branches are parallel or sequential.
pub(super) fn parallel_neox(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    let is_parallel = keys.flag("use_parallel_residual")?.unwrap_or(true);
    config.insert("use_parallel_residual".into(), is_parallel.into());
    Ok(())
}

/// StableLM: sets whether the branches are parallel, which is the case if a block has only one norm.
pub(super) fn parallel_stablelm(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    let is_parallel = keys.gguf().shape("blk.0.ffn_norm.weight").is_none();
    // The tensors determine the value, so this key is redundant. Reading the key marks it as requested.
    keys.flag("use_parallel_residual")?;
    config.insert("use_parallel_residual".into(), is_parallel.into());
    Ok(())
}

/// BLOOM. Its config.json has `seq_length`, the window length in training, instead of a number of positions.
pub(super) fn bloom(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if let Some(length) = config.remove("max_position_embeddings") {
        config.insert("seq_length".into(), length);
    }
    // Marks the key as requested: the steepest slope of ALiBi has the default value in all models.
    keys.number("attention.max_alibi_bias")?;
    Ok(())
}

/// OLMo 2, or OLMo 3 if the file has windows.
pub(super) fn olmo2(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if keys.size("attention.sliding_window")?.is_none_or(|window| window == 0) {
        return Ok(());
    }
    config.insert("model_type".into(), "olmo3".into());
    // Scaled rotary positions apply only to blocks without a window.
    let full = config.remove("rope_parameters").unwrap_or_default();
    let sliding = json!({ "rope_type": "default", "rope_theta": full["rope_theta"] });
    config.insert("rope_parameters".into(), json!({ "full_attention": full, "sliding_attention": sliding }));
    windows(keys, config, 4)
}

/// EXAONE 4: sets the windows. The large model has windows, the small model does not.
pub(super) fn exaone4(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if keys.size("attention.sliding_window")?.is_none_or(|window| window == 0) {
        config.insert("sliding_window".into(), Value::Null);
        return Ok(());
    }
    windows(keys, config, 4)
}

/// Cohere: sets the scale of logits and, if the file has its norms, query-key normalisation (QK norm).
pub(super) fn cohere(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if let Some(scale) = keys.number("logit_scale")? {
        config.insert("logit_scale".into(), scale.into());
    }
    if keys.gguf().shape("blk.0.attn_q_norm.weight").is_some() {
        config.insert("use_qk_norm".into(), true.into());
    }
    Ok(())
}

/// Cohere 2: like Cohere, but also sets the windows. Every fourth block has no window and no positions.
pub(super) fn cohere2(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    cohere(keys, config)?;
    windows(keys, config, 4)
}

/// GPT-BigCode: sets whether all query heads share one key-value head. Otherwise, each query head has its
/// own.
pub(super) fn starcoder(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    let n_kv_heads = keys.size("attention.head_count_kv")?.unwrap_or(1);
    config.remove("num_key_value_heads");
    config.insert("multi_query".into(), (n_kv_heads == 1).into());
    if n_kv_heads != 1 && n_kv_heads != keys.required("attention.head_count")? {
        return Err(keys.unsupported("attention.head_count_kv", n_kv_heads));
    }
    Ok(())
}

/// MPT: sets the number of positions, ALiBi, and the clipping limit of queries, keys and values.
pub(super) fn mpt(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if let Some(length) = config.remove("max_position_embeddings") {
        config.insert("max_seq_len".into(), length);
    }
    let steepest = keys.number("attention.max_alibi_bias")?.unwrap_or(8.0);
    let clip = keys.number("attention.clamp_kqv")?.filter(|limit| *limit != 0.0);
    let attention = json!({ "alibi": steepest > 0.0, "alibi_bias_max": steepest, "clip_qkv": clip });
    config.insert("attn_config".into(), attention);
    Ok(())
}

/// SmolLM3: sets that every fourth block has no rotary positions. The file does not store this.
pub(super) fn smollm3(_keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    config.insert("no_rope_layer_interval".into(), 4.into());
    Ok(())
}
