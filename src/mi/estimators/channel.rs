//! `channel`: mutual information through a channel of stated precision, bounded on both sides and without
//! training.
//!
//! States are deterministic functions of tokens, so their noise-free mutual information is the entropy of the
//! tokens, the same for every block of every model. What differs is how many states can be distinguished at a
//! given precision `b`:
//!
//! ```text
//! I_b = I(x ; Y + sigma Z),   Y = y standardised,   Z ~ N(0, I_d),   sigma = b sqrt(d)
//! ```
//!
//! `d` counts the coordinates of `Y`. The density of the channel is known, so with `n` rows both sides are
//! bounded in expectation:
//!
//! ```text
//! A_ij  = -|y_i + sigma z_i - y_j|^2 / (2 sigma^2)
//! lower = mean_i [ A_ii - log( 1/n     sum_j      exp A_ij ) ]
//! upper = mean_i [ A_ii - log( 1/(n-1) sum_{j!=i} exp A_ij ) ]
//! ```
//!
//! Rows that share `x` bit by bit and differ in `y` make `A_ii` the log of a mixture over the rows `G(i)`
//! that share `x`:
//!
//! ```text
//! lower = mean_i [ log mean_{j in G(i), j!=i} exp A_ij - log( 1/n     sum_j      exp A_ij ) ]
//! upper = mean_i [ log mean_{j in G(i)}       exp A_ij - log( 1/(n-1) sum_{j!=i} exp A_ij ) ]
//! ```
//!
//! A row alone in its group adds 0 to the lower bound; flag `grouped`.
//!
//! If `x` hardly repeats, single rows do not show how much `y` varies given `x`, and the few repeated values
//! may be due to rounding. So if the entropy of `y` within `x` is at most .03 nats, every pair counts as a
//! separate `x`, as if nothing repeated. This adds at most that entropy, which is subtracted from the lower
//! bound; flag `collisions`.
//!
//! Everything is computed from `R_ij = A_ij - A_ii = -|y_i - y_j|^2 / (2 sigma^2) - z_i . (y_i - y_j) /
//! sigma`, in which the large terms have cancelled and `R_ii = 0` exactly. Each noise `z` is used with both
//! signs, `z` and `-z`. One product `Y Y^T` and one `Z Y^T` serve every `b` and both signs. Equal pairs are
//! stored once with their count, and each of them has a `z` of its own (up to 4096 in all). Products are
//! computed in blocks: memory grows with `n`, not with its square.
//!
//! # The value between the bounds
//! Let `chi` be the chi-square information of the channel, `E[exp(A_ii) / mean_j exp(A_ij)] - 1`. To first
//! order in `1/n` the bias of the upper bound is `+chi / 2n` and that of the lower bound `-chi / 2n`: the
//! middle of the two has none, and on inputs that are distinguished perfectly it is the Miller-Madow entropy.
//! So the estimate is the middle, but not above the larger of the lower bound and the least ceiling. That cut
//! matters where the upper bound has run away, and there the flag `saturated` says so.
//!
//! The standard error is the standard deviation of the terms over `sqrt(n)`. It ignores that `y` is
//! standardised by its own sample, which removes part of the variation: it is right for states with many
//! dimensions or few values, and too large (by 2.4 for a Gaussian in 3 dimensions at b = .4) where the size
//! of `y` is most of what varies.
//!
//! # References
//! Goldfeld et al., ICML 2019 (the channel); Poole et al., ICML 2019, and Kolchinsky & Tracey, Entropy 2017
//! (the bounds); McAllester & Stratos, AISTATS 2020 (why not above log n); Miller 1955 (entropy).

use std::borrow::Cow;

use crate::mi::channel::bounds;
use crate::mi::channel::bounds::Bounds;
use crate::mi::channel::gaussian_capacity::gaussian_nats;
use crate::mi::channel::points::Points;
use crate::mi::samples::distinct::Distinct;
use crate::mi::samples::paired::{SMALL_SAMPLE, TRUSTED};
use crate::mi::{About, Ceilings, Estimate, Estimator, Flag, Kind, Pairs, Scale};
use crate::numeric::matrix::Matrix;
use crate::numeric::statistics::entropy_nats;
use crate::{Error, Result};

const NAME: &str = "channel";

/// Entropy of `y` within `x` up to which rows that share `x` are collisions.
const COLLISIONS_NATS: f64 = 0.03;

/// The range of `b`. Below it, the rounding of `f32` distances, about `5e-7 / b^2` nats, is no longer small;
/// above it the information vanishes.
const PRECISIONS: (f64, f64) = (1e-3, 1e3);

/// Bounds are saturated above this fraction of `log n`, and where they are further apart than
/// [`WIDE_GAP_NATS`].
const SATURATED: f64 = 0.85;
const WIDE_GAP_NATS: f64 = 0.5;

/// The estimator, with its scale and the precisions at which it measures.
///
/// | parameter | default | purpose | range |
/// |---|---|---|---|
/// | `scale` | [`Scale::Spread`] | what the noise is relative to | |
/// | `precisions` | .10 .15 .25 .40 | size `b` of the noise | .001 to 1000, at least one |
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    scale: Scale,
    precisions: Cow<'static, [f64]>,
}

impl Channel {
    /// Its name.
    pub const DEFAULT_NAME: &'static str = NAME;

    /// Own spread, at the precisions that are its default.
    pub const DEFAULT: Self = Self::with_scale(Scale::Spread);

    /// This scale, at the precisions that are its default.
    #[must_use]
    pub const fn with_scale(scale: Scale) -> Self {
        Self { scale, precisions: Cow::Borrowed(scale.default_precisions()) }
    }

    /// This scale at these precisions `b`, in the order in which estimates are returned.
    ///
    /// # Errors
    /// [`Error::Parameter`] if there is none, or one is not a number from .001 to 1000.
    pub fn new(scale: Scale, precisions: Vec<f64>) -> Result<Self> {
        let out_of_range = |reason| Error::Parameter { name: "b", reason };
        if precisions.is_empty() {
            return Err(out_of_range("give at least one precision".to_owned()));
        }
        let (least, most) = PRECISIONS;
        if let Some(b) = precisions.iter().find(|b| !(least..=most).contains(*b)) {
            return Err(out_of_range(format!("{b} is not a number from {least} to {most}")));
        }
        Ok(Self { scale, precisions: precisions.into() })
    }

    /// What the noise is relative to.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The precisions `b`.
    #[must_use]
    pub fn precisions(&self) -> &[f64] {
        &self.precisions
    }
}

impl Default for Channel {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Estimator for Channel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            kind: Kind::TwoSided,
            what: "information through a channel of stated precision b, bounded on both sides",
            reference: "Goldfeld et al. 2019; Poole et al. 2019; Kolchinsky & Tracey 2017",
            cost: "2 n^2 d for all b: .4 s at n = 4000, d = 768",
            limits: "another quantity than the information of continuous x and y: noise of b times the \
                     spread of y is added",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let (x, y) = (Matrix::new("x", pairs.x())?, Matrix::new("y", pairs.y())?);
        let distinct = match pairs.labels() {
            Some(labels) => Distinct::labelled(labels, &y),
            None => Distinct::new(&x, &y),
        };
        Ok(self.measure(&distinct, &y, x.columns(), seed))
    }

    fn note_on_samples(&self) -> Option<&'static str> {
        Some(
            "channel treats y as a function of x where a row of x occurs once: its number is how many values \
             of y can be distinguished at precision b, not the information of noisy pairs",
        )
    }

    fn noise_scales(&self) -> &[f64] {
        &self.precisions
    }

    fn headline_noise_scale(&self) -> Option<f64> {
        Some(self.scale.headline_precision())
    }
}

impl Channel {
    fn measure(&self, distinct: &Distinct, y: &Matrix<'_>, x_columns: usize, seed: u64) -> Vec<Estimate> {
        let within_nats = distinct.within_nats();
        let collisions = distinct.is_grouped() && within_nats <= COLLISIONS_NATS;
        let input_entropy_nats = entropy_nats(distinct.groups.iter().map(|group| distinct.count(group)));
        let n_distinct = distinct.groups.len();
        let apart;
        let distinct = if collisions {
            apart = distinct.ungrouped();
            &apart
        } else {
            distinct
        };
        let mut standardised = self.scale.standardise(y, distinct);
        let found = Common {
            n: y.rows(),
            n_distinct,
            dims: [x_columns, y.columns()],
            constant_y: std::mem::take(&mut standardised.dropped),
            input_entropy_nats,
            grouped: distinct.is_grouped(),
            collisions_nats: if collisions { within_nats } else { 0.0 },
        };
        if distinct.groups.len() == 1 || standardised.d == 0 {
            return self.precisions.iter().map(|&b| found.constant(b)).collect();
        }
        let sigmas: Vec<f64> = self.precisions.iter().map(|b| b * (standardised.d as f64).sqrt()).collect();
        let points = Points::new(standardised, distinct);
        let (bounds, gaussian_nats) =
            rayon::join(|| bounds::bounds(&points, &sigmas, seed), || gaussian_nats(&points, &sigmas));
        let estimates = self.precisions.iter().zip(&bounds).zip(gaussian_nats);
        estimates.map(|((&b, bounds), gaussian_nats)| found.measured(b, bounds, gaussian_nats)).collect()
    }
}

/// The parts that the estimates at all precisions share.
struct Common {
    n: usize,
    n_distinct: usize,
    dims: [usize; 2],
    constant_y: Vec<usize>,
    input_entropy_nats: f64,
    grouped: bool,
    /// The information that rows that share `x` can have added to the bounds.
    collisions_nats: f64,
}

impl Common {
    /// Nothing varies on one side: the information is zero by definition, and so is its error.
    fn constant(&self, b: f64) -> Estimate {
        let zero = Bounds { lower_nats: 0.0, upper_nats: 0.0, stderr_nats: 0.0 };
        Estimate { flags: self.flags(&zero, 0.0, true), ..self.measured(b, &zero, 0.0) }
    }

    fn measured(&self, b: f64, bounds: &Bounds, gaussian_nats: f64) -> Estimate {
        let ceilings = Ceilings {
            log_n_nats: (self.n as f64).ln(),
            input_entropy_nats: self.input_entropy_nats,
            output_entropy_nats: None,
            gaussian_nats: Some(gaussian_nats),
            compared_nats: None,
        };
        let ceiling_nats = ceilings.least_nats();
        let lower_nats = bounds.lower_nats - self.collisions_nats;
        let middle_nats = 0.5 * (lower_nats + bounds.upper_nats);
        // By chance the lower bound can be above the ceiling of a Gaussian, never by more; the estimate stays
        // between the bounds.
        let mi_nats = middle_nats.min(ceiling_nats.max(lower_nats));
        Estimate {
            noise_scale: Some(b),
            kind: Kind::TwoSided,
            mi_nats,
            lower_nats: Some(lower_nats),
            upper_nats: Some(bounds.upper_nats),
            stderr_nats: Some(bounds.stderr_nats),
            ceiling_nats,
            ceilings,
            optimism_nats: None,
            n: self.n,
            n_distinct: self.n_distinct,
            dims: self.dims,
            constant_x: vec![],
            constant_y: self.constant_y.clone(),
            flags: self.flags(bounds, mi_nats, false),
        }
    }

    fn flags(&self, bounds: &Bounds, mi_nats: f64, constant: bool) -> Vec<Flag> {
        let log_n = (self.n as f64).ln();
        let saturated =
            bounds.lower_nats > SATURATED * log_n || bounds.upper_nats - bounds.lower_nats > WIDE_GAP_NATS;
        [
            (Flag::Constant, constant),
            (Flag::Grouped, self.grouped && !constant),
            (Flag::Collisions, self.collisions_nats > 0.0 && !constant),
            (Flag::Saturated, saturated),
            (Flag::NearCeiling, mi_nats > TRUSTED * log_n),
            (Flag::SmallSample, self.n < SMALL_SAMPLE),
        ]
        .into_iter()
        .filter_map(|(flag, holds)| holds.then_some(flag))
        .collect()
    }
}
