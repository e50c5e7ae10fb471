//! Converts the metadata of Gemma 2 and 3: windows, softcaps, two rotary bases. The files do not store the
//! scale of the attention scores. As in llama.cpp, the number of blocks determines the scale.

use serde_json::{Value, json};

use super::form::ConfigMap;
use super::keys::Keys;
use crate::error::Result;

/// Number of blocks in Gemma 2 27B and in Gemma 3 27B, which identifies these two models. Their scale depends
/// on `d_model / n_heads`.
const BLOCKS_OF_27B: [usize; 2] = [46, 62];

/// Sets `query_pre_attn_scalar` to the head width, or for the 27B models to `d_model / n_heads`.
fn scale(keys: &Keys, config: &mut ConfigMap, blocks_of_27b: usize) -> Result<()> {
    let (d_model, n_heads) = (keys.required("embedding_length")?, keys.required("attention.head_count")?);
    let shared = d_model.checked_div(n_heads).unwrap_or_default();
    let head_dim = keys.size("attention.key_length")?.unwrap_or(shared);
    let is_27b = keys.required("block_count")? == blocks_of_27b;
    config.insert("query_pre_attn_scalar".into(), if is_27b { shared } else { head_dim }.into());
    Ok(())
}

/// Sets the softcaps of attention scores and logits; `null` means no softcap.
fn caps(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    for key in ["attn_logit_softcapping", "final_logit_softcapping"] {
        let cap = keys.number(key)?.filter(|cap| *cap != 0.0);
        config.insert(key.into(), cap.map_or(Value::Null, Value::from));
    }
    Ok(())
}

/// Sets which blocks have a sliding window, according to the list in the file. Without a list, every
/// `period`-th block has no window, and all other blocks have a window.
pub(super) fn windows(keys: &Keys, config: &mut ConfigMap, period: usize) -> Result<()> {
    let n = keys.required("block_count")?;
    config.insert("sliding_window".into(), keys.size("attention.sliding_window")?.unwrap_or(4096).into());
    let listed = keys.flags("attention.sliding_window_pattern").filter(|flags| flags.len() > 1);
    let slides: Vec<bool> = match listed {
        Some(flags) if flags.len() == n => flags,
        Some(flags) => {
            return Err(
                keys.unsupported("attention.sliding_window_pattern", format!("{} blocks", flags.len()))
            );
        }
        None => {
            let period = keys.size("attention.sliding_window_pattern")?.unwrap_or(period);
            (0..n.min(MOST_BLOCKS)).map(|l| period == 0 || (l + 1) % period != 0).collect()
        }
    };
    let kind = |slides: bool| if slides { "sliding_attention" } else { "full_attention" };
    config.insert("layer_types".into(), slides.into_iter().map(kind).collect());
    Ok(())
}

/// Upper limit for the number of blocks in the metadata. Published models have far fewer blocks.
const MOST_BLOCKS: usize = 65_536;

pub(super) fn gemma2(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    scale(keys, config, BLOCKS_OF_27B[0])?;
    caps(keys, config)?;
    windows(keys, config, 2)
}

pub(super) fn gemma3(keys: &Keys, config: &mut ConfigMap) -> Result<()> {
    scale(keys, config, BLOCKS_OF_27B[1])?;
    caps(keys, config)?;
    windows(keys, config, 6)?;
    let full = config.remove("rope_parameters").unwrap_or_default();
    let base = keys.number("rope.freq_base_swa")?.unwrap_or(10_000.0);
    let sliding = json!({ "rope_type": "default", "rope_theta": base });
    config.insert("rope_parameters".into(), json!({ "full_attention": full, "sliding_attention": sliding }));
    Ok(())
}
