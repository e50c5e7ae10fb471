//! Rotary positions as configs describe them: `rope_parameters` (transformers 5) or `rope_theta` and
//! `rope_scaling` (before). Reading only one spelling would load the other kind of file with the wrong base
//! and no error. Every scaling is a change of the inverse frequencies and perhaps a factor of cosines and
//! sines; what changes with the length of a window is refused.

use std::f64::consts::TAU;

use super::config::Config;
use crate::error::Result;
use crate::model::spec::{Layer, Rope, Spec};

/// Keys of a config.json that describe rotary positions. Those of a scaling usually stand inside
/// `rope_scaling` or `rope_parameters`; beside them they are read too.
pub(super) const READ: &[&str] = &[
    "attention_factor",
    "factor",
    "high_freq_factor",
    "low_freq_factor",
    "original_max_position_embeddings",
    "partial_rotary_factor",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "short_factor",
];

/// The keys that a description may hold. Another key would change the angles in a way that is not known here.
const KNOWN: &[&str] = &[
    "attention_factor",
    "factor",
    "high_freq_factor",
    "long_factor",
    "low_freq_factor",
    "original_max_position_embeddings",
    "partial_rotary_factor",
    "rope_theta",
    "rope_type",
    "short_factor",
    "type",
];

/// The defaults of an architecture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    /// The base of the angles.
    pub theta: f64,
    /// The share of a head that is rotated.
    pub fraction: f64,
    /// Whether a config may ask for another share.
    pub partial: bool,
}

/// Most architectures': base 10,000, whole heads.
pub(super) const USUAL: Defaults = Defaults { theta: 10_000.0, fraction: 1.0, partial: false };

/// Gives every block of `spec` the one rotary table that a config describes. LongRoPE has factors for short
/// and for long windows; those for short ones are taken, and `max_positions` becomes the length up to which
/// they hold.
///
/// # Errors
/// For a scaling that is not known and for numbers that cannot be right.
pub(super) fn rotate(spec: &mut Spec, config: &Config, defaults: Defaults) -> Result<()> {
    let scaling = config.object("rope_scaling")?;
    let parameters = config.object("rope_parameters")?;
    let sources: Vec<&Config> = [scaling.as_ref(), parameters.as_ref()].into_iter().flatten().collect();
    spec.ropes = vec![table(spec, config, &sources, defaults)?];
    spec.layers = vec![Layer { window: None, rope: Some(0) }; spec.n_layers];
    Ok(())
}

/// One table, from the first of `sources`, then the config itself, that has a key. `spec` has its head width
/// and positions.
///
/// # Errors
/// Those of [`rotate`].
pub(super) fn table(
    spec: &mut Spec,
    config: &Config,
    sources: &[&Config],
    defaults: Defaults,
) -> Result<Rope> {
    // What the description says counts before what stands beside it.
    config.mark_inert(&["rope_theta", "partial_rotary_factor", "original_max_position_embeddings"]);
    for source in sources {
        if let Some((key, value)) = source.entries().find(|(key, _)| !KNOWN.contains(key)) {
            return config.unsupported(&format!("rotary setting {key}"), value);
        }
    }
    let holder =
        |key: &str| sources.iter().copied().find(|source| source.get(key).is_some()).unwrap_or(config);
    let theta = holder("rope_theta").positive_or("rope_theta", defaults.theta)?;
    let fraction = holder("partial_rotary_factor").positive_or("partial_rotary_factor", defaults.fraction)?;
    if !defaults.partial && fraction != defaults.fraction {
        return config.unsupported("partial_rotary_factor", fraction);
    }
    let width = (spec.head_dim as f64 * fraction) as usize;
    let mut inv_freq = frequencies(config, width, spec.head_dim, theta)?;
    // Only a description has a type: configs know other keys called `type`. The first that has one in either
    // spelling decides.
    let typed = |source: &&Config| source.get("rope_type").or(source.get("type")).is_some();
    let kind = match sources.iter().copied().find(typed) {
        Some(source) => source.text(source.present_alias(&["rope_type", "type"]))?,
        None => "default",
    };
    let original = || {
        let key = "original_max_position_embeddings";
        if config.get(key).is_some() {
            config.size(key)
        } else {
            holder(key).size_or(key, spec.max_positions)
        }
    };
    let mut attention_factor = 1.0;
    match kind {
        "default" => {}
        "linear" => {
            let factor = holder("factor").positive("factor")?;
            inv_freq.iter_mut().for_each(|f| *f /= factor);
        }
        "llama3" => {
            let [factor, low, high] =
                ["factor", "low_freq_factor", "high_freq_factor"].map(|k| holder(k).positive(k));
            let (factor, low, high, original) = (factor?, low?, high?, original()? as f64);
            if high <= low {
                return Err(
                    config.fault(format!("high_freq_factor {high} is not above low_freq_factor {low}"))
                );
            }
            for f in &mut inv_freq {
                // How far the wavelength is from that of the slow ones, 0, to that of the fast ones, 1, which
                // stay.
                let fast = ((original * *f / TAU - low) / (high - low)).clamp(0.0, 1.0);
                *f *= (1.0 - fast) / factor + fast;
            }
        }
        "longrope" | "su" => {
            let (long, original) = (spec.max_positions as f64, original()?);
            let stretch = holder("factor").positive_or("factor", long / original as f64)?;
            let usual =
                if stretch > 1.0 { (1.0 + stretch.ln() / (original as f64).ln()).sqrt() } else { 1.0 };
            attention_factor = holder("attention_factor").positive_or("attention_factor", usual)?;
            let factors = holder("short_factor").list("short_factor")?;
            if factors.len() != inv_freq.len() {
                let (found, asked) = (factors.len(), inv_freq.len());
                return Err(
                    config.fault(format!("short_factor has {found} numbers for {asked} rotated pairs"))
                );
            }
            for (f, factor) in inv_freq.iter_mut().zip(factors) {
                match factor.as_f64() {
                    Some(factor) if factor > 0.0 => *f /= factor,
                    _ => {
                        return Err(
                            config.fault(format!("short_factor holds {factor}, not a positive number"))
                        );
                    }
                }
            }
            if !attention_factor.is_finite() {
                return Err(config.fault(format!("original_max_position_embeddings is {original}")));
            }
            spec.max_positions = spec.max_positions.min(original);
        }
        other => return config.unsupported("rope_type", other),
    }
    Ok(Rope {
        inv_freq: inv_freq.into_iter().map(|f| f as f32).collect(),
        attention_factor: attention_factor as f32,
        interleaved: false,
    })
}

/// `theta^(-2 i / width)` for the pairs of the first `width` values of a head.
///
/// # Errors
/// If `width` is odd, 0, or wider than a head.
pub(super) fn frequencies(config: &Config, width: usize, head_dim: usize, theta: f64) -> Result<Vec<f64>> {
    if width == 0 || width > head_dim || !width.is_multiple_of(2) {
        let reason = format!(
            "{width} of a head's {head_dim} values are rotated; rotary positions need an even number"
        );
        return Err(config.fault(reason));
    }
    Ok((0..width / 2).map(|i| theta.powf(-2.0 * i as f64 / width as f64)).collect())
}
