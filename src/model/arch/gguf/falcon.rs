//! Converts the metadata of Falcon. In the older forms, all query heads share one key-value head, or each
//! query head has its own. The form of the 40B model has several shared key-value heads, and a second norm.

use super::form::ConfigMap;
use super::keys::Keys;
use crate::error::Result;

pub(super) fn falcon(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    let n_heads = keys.required("attention.head_count")?;
    let n_kv_heads = keys.size("attention.head_count_kv")?.unwrap_or(1);
    config.remove("num_key_value_heads");
    config.insert("multi_query".into(), (n_kv_heads == 1).into());
    let has_two_norms = keys.gguf().shape("blk.0.attn_norm_2.weight").is_some();
    if has_two_norms || (n_kv_heads != 1 && n_kv_heads != n_heads) {
        config.insert("new_decoder_architecture".into(), true.into());
        config.insert("num_kv_heads".into(), n_kv_heads.into());
        config.insert("num_ln_in_parallel_attn".into(), if has_two_norms { 2 } else { 1 }.into());
    }
    config.insert("parallel_attn".into(), keys.gguf().shape("blk.0.ffn_norm.weight").is_none().into());
    Ok(())
}
