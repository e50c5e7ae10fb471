//! The choice of a noise scale at which the bounds of all profiles are close.

use crate::emergence::{Profile, WidestBounds};
use crate::error::{Error, Result};

/// Widest gap between the bounds that is accepted.
pub const WIDEST_GAP_NATS: f64 = 0.3;
/// Most profiles that a message names.
const MOST_NAMED: usize = 3;

/// The smallest noise scale at which the bounds of all readings of `profiles` from block 2 on are at most
/// [`WIDEST_GAP_NATS`] apart; `None` for an estimator that adds no noise.
///
/// # Errors
/// [`Error::Observations`] if there is none, naming the readings whose bounds are too wide.
pub fn choose_noise_scale<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> Result<Option<f64>> {
    let profiles: Vec<_> = profiles.into_iter().collect();
    let measured = profiles.first().map(|p| p.estimator.noise_scales.clone()).unwrap_or_default();
    if measured.is_empty() && !profiles.is_empty() {
        return Ok(None);
    }
    let wide = |noise_scale: f64| wide_bounds(profiles.iter().copied(), noise_scale);
    if let Some(noise_scale) = measured.iter().find(|noise_scale| wide(**noise_scale).is_empty()) {
        return Ok(Some(*noise_scale));
    }
    let gap = |noise_scale: f64| wide(noise_scale).first().map_or(0.0, |widest| widest.gap_nats);
    let narrowest = measured.iter().copied().min_by(|a, b| gap(*a).total_cmp(&gap(*b)));
    let at = narrowest.map_or(String::new(), |noise_scale| {
        format!(": at b = {noise_scale} they are not for {}", named(&wide(noise_scale)))
    });
    let reason = format!(
        "at no noise scale are all bounds from block 2 on within {WIDEST_GAP_NATS} nat{at}; leave these \
         models or corpora out, measure with more windows (--windows) or fewer entities (--entities), or \
         name a noise scale (--noise-scale)"
    );
    Err(Error::Observations { reason })
}

/// The widest bounds of each profile in which they are more than [`WIDEST_GAP_NATS`] apart from block 2 on,
/// the widest first.
pub fn wide_bounds<'a>(
    profiles: impl IntoIterator<Item = &'a Profile>,
    noise_scale: impl Into<Option<f64>>,
) -> Vec<WidestBounds> {
    let noise_scale = noise_scale.into();
    let widest = profiles.into_iter().filter_map(|profile| profile.widest_bounds(noise_scale));
    let mut wide: Vec<WidestBounds> = widest.filter(|widest| widest.gap_nats > WIDEST_GAP_NATS).collect();
    wide.sort_by(|a, b| b.gap_nats.total_cmp(&a.gap_nats));
    wide
}

/// The first of some wide bounds, and how many profiles more there are.
pub fn named(wide: &[WidestBounds]) -> String {
    let first: Vec<String> = wide.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let more = match wide.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        1 => ", and for 1 profile more".into(),
        n => format!(", and for {n} profiles more"),
    };
    first.join("; ") + &more
}
