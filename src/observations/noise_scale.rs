//! The choice of a noise scale at which the bounds of all profiles are close.

use crate::emergence::Profile;
use crate::error::{Error, Result};

/// Widest gap between the bounds that is accepted.
const WIDEST_GAP_NATS: f64 = 0.3;

/// The smallest noise scale at which the bounds of all readings of `profiles` are at most 0.3 nat apart;
/// `None` for an estimator that adds no noise.
///
/// # Errors
/// [`Error::Observations`] if there is none.
pub fn choose_noise_scale<'a>(profiles: impl IntoIterator<Item = &'a Profile>) -> Result<Option<f64>> {
    let profiles: Vec<_> = profiles.into_iter().collect();
    let measured = profiles.first().map(|p| p.estimator.noise_scales.clone()).unwrap_or_default();
    if measured.is_empty() && !profiles.is_empty() {
        return Ok(None);
    }
    let is_close =
        |noise_scale: &f64| profiles.iter().all(|p| p.widest_gap_nats(*noise_scale) <= WIDEST_GAP_NATS);
    measured.into_iter().find(is_close).map(Some).ok_or_else(|| Error::Observations {
        reason: format!(
            "at no noise scale are all bounds within {WIDEST_GAP_NATS} nat; name one (--noise-scale), or \
             measure more windows (--windows) or fewer shots"
        ),
    })
}
