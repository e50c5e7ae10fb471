//! Chooses a noise scale at which the bounds of all profiles are close.

use crate::emergence::{Profile, WidestBounds};
use crate::error::{Error, Result};

/// The widest accepted gap between the bounds, in nats.
pub const WIDEST_GAP_NATS: f64 = 0.3;
/// The largest number of profiles that a message lists.
const MOST_NAMED: usize = 3;

/// The smallest noise scale at which the bounds of all `profiles` from block 2 on are at most
/// [`WIDEST_GAP_NATS`] apart; `None` for an estimator that adds no noise.
///
/// # Errors
/// [`Error::Observations`] if there is no such noise scale, with the readings whose bounds are too wide.
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
        format!(
            "; b = {noise_scale} has the narrowest bounds, which are too wide for {}",
            named(&wide(noise_scale))
        )
    });
    let reason = format!(
        "at every noise scale, the lower and upper bounds of some profile are more than {WIDEST_GAP_NATS} \
         nats apart in a block from 2 on{at}; leave out these models or corpora, measure with more windows \
         (--windows) or fewer entities (--entities), or choose a noise scale (--noise-scale)"
    );
    Err(Error::Observations { reason })
}

/// For each profile with bounds more than [`WIDEST_GAP_NATS`] apart in a block from 2 on, its widest bounds.
/// Profiles with wider bounds come first.
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

/// Lists the first wide bounds, and counts the remaining profiles.
pub fn named(wide: &[WidestBounds]) -> String {
    let first: Vec<String> = wide.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    let more = match wide.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        1 => ", and for 1 more profile".into(),
        n => format!(", and for {n} more profiles"),
    };
    first.join("; ") + &more
}
