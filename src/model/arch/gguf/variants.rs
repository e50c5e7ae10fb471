//! Forms of a block that one architecture has in several variants.

use super::form::ConfigMap;
use super::keys::Keys;
use crate::error::Result;

/// A sliding window in every block.
pub(super) fn window(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if let Some(window) = keys.size("attention.sliding_window")?.filter(|window| *window != 0) {
        config.insert("sliding_window".into(), window.into());
    }
    Ok(())
}

/// Mistral's models are stored as Llamas, most of them without their window.
pub(super) fn llama(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    window(keys, config)?;
    if config.contains_key("sliding_window") {
        config.insert("model_type".into(), "mistral".into());
        config.remove("attention_bias");
        config.remove("mlp_bias");
    }
    Ok(())
}

/// GPT-NeoX: attention and MLP side by side, or one after the other.
pub(super) fn parallel_neox(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    let is_parallel = keys.flag("use_parallel_residual")?.unwrap_or(true);
    config.insert("use_parallel_residual".into(), is_parallel.into());
    Ok(())
}

/// StableLM: the branches share a norm where there is one alone.
pub(super) fn parallel_stablelm(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    let is_parallel = keys.gguf().shape("blk.0.ffn_norm.weight").is_none();
    // The switch repeats what the tensors say.
    keys.flag("use_parallel_residual")?;
    config.insert("use_parallel_residual".into(), is_parallel.into());
    Ok(())
}

/// BLOOM has no positions: `seq_length` is the length of training.
pub(super) fn bloom(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    if let Some(length) = config.remove("max_position_embeddings") {
        config.insert("seq_length".into(), length);
    }
    // ALiBi's steepest slope, which is the usual one.
    keys.number("attention.max_alibi_bias")?;
    Ok(())
}

/// SmolLM3: no rotation in each fourth block.
pub(super) fn smollm3(_keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    config.insert("no_rope_layer_interval".into(), 4.into());
    Ok(())
}
