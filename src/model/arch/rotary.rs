//! Reads rotary positions from configs, which describe them in `rope_parameters` (transformers 5) or in
//! `rope_theta` and `rope_scaling` (earlier versions). If only one form were supported, configs in the other
//! form would silently be loaded with a wrong base.

use super::config::Config;
use super::rotary_scaling::{Description, holder, scale};
use crate::error::Result;
use crate::model::spec::{Layer, Rope, Spec};

/// The keys of config.json that describe rotary positions.
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

/// The keys that transformers reads in a description only for some `model_type`s. Each of these keys is read
/// by surmise, too, or does not affect the states at the supported positions.
pub(super) const KNOWN_TO: &[(&str, &[&str])] = &[
    ("hunyuan_v1_dense", &["alpha"]),
    ("hunyuan_v1_moe", &["alpha"]),
    ("ministral3", &["llama_4_scaling_beta", "max_position_embeddings"]),
    ("qwen2_5_vl_text", &["mrope_section"]),
    ("qwen2_vl_text", &["mrope_section"]),
    ("qwen3_vl_text", &["mrope_interleaved", "mrope_section"]),
];

/// The defaults of an architecture's rotary positions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    /// The base of the angles.
    pub theta: f64,
    /// The fraction of a head that is rotated.
    pub fraction: f64,
    /// Whether a config may set another fraction.
    pub partial: bool,
}

/// The most common defaults: the base is 10,000, and whole heads are rotated.
pub(super) const USUAL: Defaults = Defaults { theta: 10_000.0, fraction: 1.0, partial: false };

/// Adds the rotary table that a config describes to `spec`, for all blocks. LongRoPE has separate factors for
/// short and for long windows. The factors for short windows are used, and `max_positions` is limited to the
/// window length for which they are valid.
///
/// # Errors
/// For an unknown kind of scaling, and for invalid numbers.
pub(super) fn rotate(spec: &mut Spec, config: &Config, defaults: Defaults) -> Result<()> {
    let scaling = config.object("rope_scaling")?;
    let parameters = config.object("rope_parameters")?;
    let sources: Vec<&Config> = [scaling.as_ref(), parameters.as_ref()].into_iter().flatten().collect();
    spec.ropes = vec![table(spec, config, &sources, defaults)?];
    spec.layers = vec![Layer { rope: Some(0), ..Layer::default() }; spec.n_layers];
    Ok(())
}

/// Adds two rotary tables to `spec`: one for full-attention blocks and one for sliding-window blocks. Configs
/// of transformers 5 have both descriptions in `rope_parameters`. In earlier versions, `rope_theta` and
/// `rope_scaling` describe the table of full-attention blocks. `full` and `slides` are the defaults of the
/// two tables.
///
/// # Errors
/// Returns the errors of [`rotate`].
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

/// Builds one table. Each key comes from the first of `sources` that has it, or else from the config itself.
/// `spec` must already contain the width of a head and the number of positions.
///
/// # Errors
/// Returns the errors of [`rotate`].
pub(super) fn table(
    spec: &mut Spec,
    config: &Config,
    sources: &[&Config],
    defaults: Defaults,
) -> Result<Rope> {
    // If a description has one of these keys, the key at the top level is not read. Mark it as requested, so
    // that it does not count as an unsupported setting.
    config.mark_inert(&["rope_theta", "partial_rotary_factor", "original_max_position_embeddings"]);
    for source in sources {
        // A nested object describes separate angles for some kinds of blocks, but this architecture has one
        // table for all blocks.
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
    // The type is read only from the descriptions, because the config itself may use the key `type` for
    // another purpose. The first description with `rope_type` or `type` decides.
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

/// `theta^(-2 i / width)` for pair `i` of the first `width` values of a head.
///
/// # Errors
/// If `width` is odd, 0, or larger than a head.
pub(super) fn frequencies(config: &Config, width: usize, head_dim: usize, theta: f64) -> Result<Vec<f64>> {
    if width == 0 || width > head_dim || !width.is_multiple_of(2) {
        let reason = format!(
            "rotary positions in {width} of the {head_dim} values of a head are impossible: the number must \
             be even, above 0 and at most {head_dim}"
        );
        return Err(config.fault(reason));
    }
    Ok((0..width / 2).map(|i| theta.powf(-2.0 * i as f64 / width as f64)).collect())
}
