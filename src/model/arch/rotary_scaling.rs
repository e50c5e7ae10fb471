//! Scales the inverse frequencies of rotary positions according to `rope_type`, and computes the factor that
//! multiplies cosines and sines. Some scalings change for windows beyond a certain length. For these
//! scalings, windows are limited to that length.

use std::f64::consts::TAU;

use super::config::Config;
use crate::error::Result;
use crate::model::spec::Spec;

/// A config and its descriptions of rotary positions. The value of a key comes from the first description
/// that has the key.
pub(super) struct Description<'a> {
    pub(super) config: &'a Config,
    pub(super) sources: &'a [&'a Config],
    /// The base of the angles.
    pub(super) theta: f64,
}

impl<'a> Description<'a> {
    fn holder(&self, key: &str) -> &'a Config {
        holder(self.config, self.sources, key)
    }

    fn positive(&self, key: &str) -> Result<f64> {
        self.holder(key).positive(key)
    }

    fn positive_or(&self, key: &str, default: f64) -> Result<f64> {
        self.holder(key).positive_or(key, default)
    }

    /// The window length in training, before scaling.
    fn original(&self, spec: &Spec) -> Result<usize> {
        let key = "original_max_position_embeddings";
        if self.config.get(key).is_some() {
            self.config.size(key)
        } else {
            self.holder(key).size_or(key, spec.max_positions)
        }
    }
}

/// The first of `sources` that has a key, or else the config itself.
pub(super) fn holder<'a>(config: &'a Config, sources: &[&'a Config], key: &str) -> &'a Config {
    sources.iter().copied().find(|source| source.get(key).is_some()).unwrap_or(config)
}

/// Scales `inv_freq` by the rule of a `rope_type` and returns the factor that multiplies cosines and sines.
/// Limits `spec.max_positions` to the window length for which the scaled table is valid.
///
/// # Errors
/// For an unknown type, and for invalid numbers.
pub(super) fn scale(
    kind: &str,
    description: &Description<'_>,
    inv_freq: &mut [f64],
    spec: &mut Spec,
) -> Result<f64> {
    match kind {
        // For text, the three positions of mrope are equal. "dynamic" changes the base only for windows that
        // are longer than the windows in training, and such windows are not supported.
        "default" | "mrope" | "dynamic" => Ok(1.0),
        "linear" => {
            let factor = description.positive("factor")?;
            inv_freq.iter_mut().for_each(|f| *f /= factor);
            Ok(1.0)
        }
        "llama3" => llama3(description, inv_freq, spec),
        "longrope" | "su" => longrope(description, inv_freq, spec),
        "yarn" => yarn(description, inv_freq, spec),
        other => description.config.unsupported("rope_type", other),
    }
}

fn llama3(description: &Description<'_>, inv_freq: &mut [f64], spec: &Spec) -> Result<f64> {
    let [factor, low, high] =
        ["factor", "low_freq_factor", "high_freq_factor"].map(|key| description.positive(key));
    let (factor, low, high, original) = (factor?, low?, high?, description.original(spec)? as f64);
    if high <= low {
        let reason = format!("high_freq_factor {high} is not above low_freq_factor {low}");
        return Err(description.config.fault(reason));
    }
    for f in inv_freq {
        // `fast` is 0 for low frequencies, which are divided by the factor, and 1 for high frequencies, which
        // are not scaled.
        let fast = ((original * *f / TAU - low) / (high - low)).clamp(0.0, 1.0);
        *f *= (1.0 - fast) / factor + fast;
    }
    Ok(1.0)
}

fn longrope(description: &Description<'_>, inv_freq: &mut [f64], spec: &mut Spec) -> Result<f64> {
    let config = description.config;
    let (long, original) = (spec.max_positions as f64, description.original(spec)?);
    let stretch = description.positive_or("factor", long / original as f64)?;
    let usual = if stretch > 1.0 { (1.0 + stretch.ln() / (original as f64).ln()).sqrt() } else { 1.0 };
    let attention_factor = description.positive_or("attention_factor", usual)?;
    let factors = description.holder("short_factor").list("short_factor")?;
    if factors.len() != inv_freq.len() {
        let (found, asked) = (factors.len(), inv_freq.len());
        return Err(config.fault(format!("short_factor has {found} numbers for {asked} rotated pairs")));
    }
    for (f, factor) in inv_freq.iter_mut().zip(factors) {
        match factor.as_f64() {
            Some(factor) if factor > 0.0 => *f /= factor,
            _ => {
                return Err(
                    config.fault(format!("short_factor contains {factor}, which is not a positive number"))
                );
            }
        }
    }
    if !attention_factor.is_finite() {
        return Err(config.fault(format!(
            "original_max_position_embeddings is {original}, which is too small for LongRoPE"
        )));
    }
    spec.max_positions = spec.max_positions.min(original);
    Ok(attention_factor)
}

/// Divides the low frequencies by the factor, keeps the high frequencies, and interpolates linearly in
/// between. The table is the same for windows of any length.
///
/// # References
/// Peng, Quesnelle, Fan and Shippole 2023, "YaRN: Efficient Context Window Extension of Large Language
/// Models".
fn yarn(description: &Description<'_>, inv_freq: &mut [f64], spec: &Spec) -> Result<f64> {
    let original = description.original(spec)? as f64;
    let factor = description.positive_or("factor", spec.max_positions as f64 / original)?;
    let grown = |scale: f64| if factor > 1.0 { 0.1 * scale * factor.ln() + 1.0 } else { 1.0 };
    let has = |key: &str| description.holder(key).get(key).is_some_and(|value| value.as_f64() != Some(0.0));
    let usual = if has("mscale") && has("mscale_all_dim") {
        grown(description.positive("mscale")?) / grown(description.positive("mscale_all_dim")?)
    } else {
        grown(1.0)
    };
    let attention_factor = description.positive_or("attention_factor", usual)?;
    let width = 2.0 * inv_freq.len() as f64;
    // The fractional index of the pair that makes the given number of turns within the original window
    // length.
    let pair = |turns: f64| width * (original / (turns * TAU)).ln() / (2.0 * description.theta.ln());
    let (mut low, mut high) =
        (pair(description.positive_or("beta_fast", 32.0)?), pair(description.positive_or("beta_slow", 1.0)?));
    if description.holder("truncate").flag_or("truncate", true)? {
        (low, high) = (low.floor(), high.ceil());
    }
    (low, high) = (low.max(0.0), high.min(width - 1.0));
    if low == high {
        high += 0.001;
    }
    if !(low.is_finite() && high.is_finite() && attention_factor.is_finite()) {
        let reason =
            format!("rotary base {} and original length {original} are invalid for YaRN", description.theta);
        return Err(description.config.fault(reason));
    }
    for (i, f) in inv_freq.iter_mut().enumerate() {
        let slow = ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
        *f *= slow / factor + (1.0 - slow);
    }
    Ok(attention_factor)
}
