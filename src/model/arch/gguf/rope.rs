//! Converts the description of rotary positions in the metadata to the `rope_parameters` of a config.json.

use serde_json::{Value, json};

use super::keys::Keys;
use crate::error::Result;

/// The default base of the angles.
const BASE: f64 = 10_000.0;

/// The description of rotary positions for heads of `head_dim` values.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for an unsupported scaling.
pub(super) fn parameters(keys: &Keys, head_dim: usize) -> Result<Value> {
    let width = keys.size("rope.dimension_count")?.unwrap_or(head_dim);
    let mut rope = json!({
        "rope_type": "default",
        "rope_theta": keys.number("rope.freq_base")?.unwrap_or(BASE),
        "partial_rotary_factor": share(width, head_dim),
    });
    let legacy = keys.number("rope.scale_linear")?;
    let factor = keys.number("rope.scaling.factor")?.or(legacy);
    let original = keys.size("rope.scaling.original_context_length")?;
    let attention_factor = keys.number("rope.scaling.attn_factor")?;
    let kind = keys.text("rope.scaling.type")?.unwrap_or(if legacy.is_some() { "linear" } else { "none" });
    let is_stretched = factor.is_some_and(|factor| factor != 1.0 && factor != 0.0);
    let set = |rope: &mut Value, key: &str, value: Option<f64>| {
        if let Some(value) = value {
            rope[key] = value.into();
        }
    };
    if let Some(factors) = keys.gguf().values("rope_freqs.weight")? {
        // The tensor has one divisor per rotary pair (Llama 3). The divisors become the short-window factors
        // of LongRoPE. Without an original window length, these factors apply to windows of all lengths.
        if is_stretched && kind != "none" {
            return Err(keys.unsupported("rope.scaling.type", kind));
        }
        rope["rope_type"] = "longrope".into();
        rope["attention_factor"] = 1.0.into();
        rope["short_factor"] = divisors(factors);
        return Ok(rope);
    }
    if let Some(factors) = keys.gguf().values("rope_factors_short.weight")? {
        rope["rope_type"] = "longrope".into();
        rope["short_factor"] = divisors(factors);
        rope["attention_factor"] = attention_factor.unwrap_or(1.0).into();
        if let Some(original) = original {
            rope["original_max_position_embeddings"] = original.into();
        }
        return Ok(rope);
    }
    match kind {
        "none" if !is_stretched => {}
        "linear" | "none" => {
            if is_stretched {
                rope["rope_type"] = "linear".into();
                set(&mut rope, "factor", factor);
            }
        }
        "yarn" => {
            let factor = factor.filter(|_| is_stretched).unwrap_or(1.0);
            for (key, off) in
                [("yarn_ext_factor", 1.0), ("yarn_log_multiplier", 0.0), ("yarn_attn_factor", 1.0)]
            {
                let key = format!("rope.scaling.{key}");
                if let Some(value) = keys.number(&key)?.filter(|value| *value != off) {
                    return Err(keys.unsupported(&key, value));
                }
            }
            rope["rope_type"] = "yarn".into();
            rope["factor"] = factor.into();
            rope["attention_factor"] = (attention_factor.unwrap_or(1.0) * (1.0 + 0.1 * factor.ln())).into();
            set(&mut rope, "beta_fast", keys.number("rope.scaling.yarn_beta_fast")?);
            set(&mut rope, "beta_slow", keys.number("rope.scaling.yarn_beta_slow")?);
            if let Some(original) = original {
                rope["original_max_position_embeddings"] = original.into();
            }
        }
        other => return Err(keys.unsupported("rope.scaling.type", other)),
    }
    Ok(rope)
}

fn divisors(factors: Vec<f32>) -> Value {
    factors.into_iter().map(f64::from).collect()
}

/// The fraction of a head that is rotated. It is rounded up if necessary, so that its product with the head
/// width is not less than `width`.
fn share(width: usize, head_dim: usize) -> f64 {
    let share = width as f64 / head_dim.max(1) as f64;
    if ((share * head_dim as f64) as usize) < width { share.next_up() } else { share }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_share_gives_the_width_back() {
        for head_dim in 1..300_usize {
            for width in 1..=head_dim {
                assert_eq!((share(width, head_dim) * head_dim as f64) as usize, width);
            }
        }
    }
}
