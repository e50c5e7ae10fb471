//! Links: the scale on which a regression is linear and residuals are compared.

use serde::{Deserialize, Serialize};

/// Shares are clipped to this distance from 0 and 1 before the logit is taken. Interval ends closer than this
/// to 0 or 1 become 0 or 1. A benchmark of hundreds of items cannot distinguish such shares, and their logits
/// would dominate the fit.
pub(crate) const CLIP: f64 = 0.01;
/// Shares are kept at this distance from 0 and 1 where [`CLIP`] does not apply but a logit must be finite: in
/// a likelihood, and in the mean of predictions.
pub(crate) const EDGE: f64 = 1e-3;

/// A link between the target and a linear predictor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The target itself.
    Identity,
    /// `log(s / (1 - s))` of the share `s = (y - low) / (high - low)`.
    Logit {
        /// Smallest possible value.
        low: f64,
        /// Largest possible value.
        high: f64,
    },
}

impl Link {
    /// The target on the scale of the link; shares are clipped to `[.01, .99]`.
    pub fn apply(self, y: f64) -> f64 {
        match self {
            Self::Identity => y,
            Self::Logit { low, high } => logit(((y - low) / (high - low)).clamp(CLIP, 1.0 - CLIP)),
        }
    }

    /// The predictor from which [`Self::invert`] returns `y`. A `y` at a bound is moved inside by 1e-12 of
    /// the range, where the logit is finite.
    pub(crate) fn exact(self, y: f64) -> f64 {
        match self {
            Self::Identity => y,
            Self::Logit { low, high } => logit(((y - low) / (high - low)).clamp(1e-12, 1.0 - 1e-12)),
        }
    }

    /// The target at the linear predictor `eta`, whose share is `floor + (1 - floor) * sigmoid(eta)`. `floor`
    /// is the share that even the weakest models reach.
    pub fn invert(self, eta: f64, floor: f64) -> f64 {
        match self {
            Self::Identity => eta,
            Self::Logit { low, high } => low + (high - low) * (floor + (1.0 - floor) * sigmoid(eta)),
        }
    }

    /// Converts an interval's lower end from the scale of the link. The link clips shares near a bound to one
    /// value, so an interval end at this value stands for all clipped shares. Near the lower bound the
    /// interval ends at the bound; near the upper bound it ends at the smallest share that is clipped.
    pub fn low_end(self, eta: f64) -> f64 {
        match self {
            Self::Identity => eta,
            Self::Logit { low, high } => {
                // An end within rounding error of the clip counts as clipped.
                let share = Some(sigmoid(eta)).filter(|share| *share > CLIP + 1e-9).unwrap_or(0.0);
                low + (high - low) * if share >= 1.0 - CLIP - 1e-9 { 1.0 - CLIP } else { share }
            }
        }
    }

    /// Converts an interval's upper end in the same way as [`Self::low_end`].
    pub fn high_end(self, eta: f64) -> f64 {
        match self {
            Self::Identity => eta,
            Self::Logit { low, high } => {
                let share = Some(sigmoid(eta)).filter(|share| *share < 1.0 - CLIP - 1e-9).unwrap_or(1.0);
                low + (high - low) * if share <= CLIP + 1e-9 { CLIP } else { share }
            }
        }
    }

    /// The weighted mean of values, taken on the scale of the link. The weights sum to 1. Shares stay
    /// [`EDGE`] away from the bounds, so that no single value dominates.
    pub(crate) fn mean(self, parts: impl Iterator<Item = (f64, f64)>) -> f64 {
        match self {
            Self::Identity => parts.map(|(weight, value)| weight * value).sum(),
            Self::Logit { low, high } => {
                let eta = |value: f64| logit(((value - low) / (high - low)).clamp(EDGE, 1.0 - EDGE));
                self.invert(parts.map(|(weight, value)| weight * eta(value)).sum(), 0.0)
            }
        }
    }

    /// The value, moved to the nearest bound if it lies outside the bounds.
    pub(crate) fn within(self, y: f64) -> f64 {
        match self {
            Self::Identity => y,
            Self::Logit { low, high } => y.clamp(low, high),
        }
    }

    /// Whether a value lies within the bounds, if there are any.
    pub(crate) fn contains(self, y: f64) -> bool {
        match self {
            Self::Identity => true,
            Self::Logit { low, high } => (low..=high).contains(&y),
        }
    }

    /// The reason for refusing a proxy's value outside the bounds.
    pub(crate) fn out_of_bounds_reason(self, proxy: f64) -> String {
        let Self::Logit { low, high } = self else { return proxy.to_string() };
        format!(
            "{proxy}, outside {low} to {high}; a proxy must be in the unit of the target and within its \
             bounds"
        )
    }

    /// Whether the target has two bounds.
    pub fn is_bounded(self) -> bool {
        matches!(self, Self::Logit { .. })
    }

    /// The name of the link in cards.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Logit { .. } => "logit",
        }
    }
}

pub(crate) fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

pub(crate) fn sigmoid(eta: f64) -> f64 {
    // For a very negative eta, exp overflows to infinity and the share is 0, which is correct.
    1.0 / (1.0 + (-eta).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_its_inverse_cancel_and_ends_snap() {
        let link = Link::Logit { low: 0.0, high: 100.0 };
        for y in [2.0, 50.0, 97.5] {
            assert!((link.invert(link.apply(y), 0.0) - y).abs() < 1e-9);
        }
        assert_eq!((link.low_end(link.apply(0.0)), link.high_end(link.apply(100.0))), (0.0, 100.0));
        // A clipped share stands for all shares between the clip and the bound, so the interval contains all
        // of them.
        assert_eq!((link.high_end(link.apply(0.0)), link.low_end(link.apply(100.0))), (1.0, 99.0));
        assert_eq!(link.invert(f64::NEG_INFINITY, 0.2), 20.0);
        assert_eq!((link.low_end(f64::NEG_INFINITY), link.high_end(f64::INFINITY)), (0.0, 100.0));
    }
}
