//! Rotary positions as configs describe them: `rope_parameters` (transformers 5) or `rope_theta` and
//! `rope_scaling` (before). Reading only one spelling would load the other kind of file with the wrong base
//! and no error.

use super::config::Config;
use super::rotary_scaling::{Description, holder, scale};
use crate::error::Result;
use crate::model::spec::{Layer, Rope, Spec};

/// The keys of a config.json that describe rotary positions.
pub(super) const DESCRIPTIONS: [&str; 2] = ["rope_parameters", "rope_scaling"];

/// The keys that transformers reads in a description.
pub(super) const KNOWN: &[&str] = &[
    "attention_factor",
    "beta_fast",
    "beta_slow",
    "factor",
    "high_freq_factor",
    "long_factor",
    "low_freq_factor",
    "mscale",
    "mscale_all_dim",
    "original_max_position_embeddings",
    "partial_rotary_factor",
    "rope_theta",
    "rope_type",
    "short_factor",
    "truncate",
    "type",
];

/// The keys that transformers reads in a description of some `model_type`s alone: their architectures heed
/// them, or they change no state up to the positions that are measured.
pub(super) const KNOWN_TO: &[(&str, &[&str])] = &[
    ("hunyuan_v1_dense", &["alpha"]),
    ("hunyuan_v1_moe", &["alpha"]),
    ("ministral3", &["llama_4_scaling_beta", "max_position_embeddings"]),
    ("qwen2_5_vl_text", &["mrope_section"]),
    ("qwen2_vl_text", &["mrope_section"]),
    ("qwen3_vl_text", &["mrope_interleaved", "mrope_section"]),
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
    spec.layers = vec![Layer { rope: Some(0), ..Layer::default() }; spec.n_layers];
    Ok(())
}

/// Gives the blocks of `spec` that slide one rotary table and the others another. Transformers 5 nests the
/// two in `rope_parameters`; before, `rope_theta` and `rope_scaling` were for blocks that see everything.
/// The defaults are of those, then of the ones that slide.
///
/// # Errors
/// Those of [`rotate`].
pub(super) fn rotate_by_kind(
    spec: &mut Spec,
    config: &Config,
    [full, slides]: [Defaults; 2],
    sliding: &[bool],
) -> Result<()> {
    let nested = config.object("rope_parameters")?;
    let nested =
        |key: &str| nested.as_ref().map(|nested| nested.object(key)).transpose().map(Option::flatten);
    let (scaling, of_full, of_slides) =
        (config.object("rope_scaling")?, nested("full_attention")?, nested("sliding_attention")?);
    let sources: Vec<&Config> = [scaling.as_ref(), of_full.as_ref()].into_iter().flatten().collect();
    let full = table(spec, config, &sources, full)?;
    let config = config.without(&["rope_theta"]);
    let slides = table(spec, &config, &of_slides.iter().collect::<Vec<_>>(), slides)?;
    spec.ropes = vec![full, slides];
    for (layer, slides) in spec.layers.iter_mut().zip(sliding) {
        layer.rope = Some(usize::from(*slides));
    }
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
        // Angles for kinds of blocks that this architecture does not distinguish.
        if let Some((key, _)) = source.entries().find(|(_, value)| value.is_object()) {
            return config.unsupported(&format!("rotary setting {key}"), "{..}");
        }
    }
    let theta = holder(config, sources, "rope_theta").positive_or("rope_theta", defaults.theta)?;
    let fraction = holder(config, sources, "partial_rotary_factor")
        .positive_or("partial_rotary_factor", defaults.fraction)?;
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
    let description = Description { config, sources, theta };
    let attention_factor = scale(kind, &description, &mut inv_freq, spec)?;
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
