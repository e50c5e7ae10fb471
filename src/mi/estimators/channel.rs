//! `channel`: estimates mutual information through a channel of stated precision, with a lower and an upper
//! bound. It needs no training.
//!
//! States are deterministic functions of tokens, so their noise-free mutual information is the entropy of the
//! tokens, the same for every block of every model. Blocks differ in the number of states that can be
//! distinguished at a given precision `b`:
//!
//! ```text
//! I_b = I(x ; Y + sigma Z),   Y = y standardised,   Z ~ N(0, I_d),   sigma = b sqrt(d)
//! ```
//!
//! `d` is the number of coordinates of `Y`. The density of the channel is known, so `n` rows give a lower and
//! an upper bound in expectation:
//!
//! ```text
//! A_ij  = -|y_i + sigma z_i - y_j|^2 / (2 sigma^2)
//! lower = mean_i [ A_ii - log( 1/n     sum_j      exp A_ij ) ]
//! upper = mean_i [ A_ii - log( 1/(n-1) sum_{j!=i} exp A_ij ) ]
//! ```
//!
//! If some rows have bit-identical `x` but different `y`, `A_ii` is replaced by the log of a mixture over the
//! rows `G(i)` that share `x`:
//!
//! ```text
//! lower = mean_i [ log mean_{j in G(i), j!=i} exp A_ij - log( 1/n     sum_j      exp A_ij ) ]
//! upper = mean_i [ log mean_{j in G(i)}       exp A_ij - log( 1/(n-1) sum_{j!=i} exp A_ij ) ]
//! ```
//!
//! A row that is alone in its group adds 0 to the lower bound. The estimate has the flag `grouped`.
//!
//! If `x` rarely repeats, single rows do not show how much `y` varies given `x`, and the few repeated values
//! may be due to rounding. So if the entropy of `y` given `x` is at most .03 nats, every distinct pair counts
//! as a separate `x`. This adds at most that entropy to the information, so the entropy is subtracted from
//! the lower bound. The estimate has the flag `collisions`.
//!
//! The bounds are computed from
//! `R_ij = A_ij - A_ii = -|y_i - y_j|^2 / (2 sigma^2) - z_i . (y_i - y_j) / sigma`. In `R_ij` the large terms
//! have cancelled, and `R_ii = 0` exactly. Each noise vector is used with both signs, `z` and `-z`. The
//! matrix products `Y Y^T` and `Z Y^T` are computed once for all `b` and both signs. Equal pairs are stored
//! once with their count, but each pair has its own `z` (up to about 4096 in total). Products are computed in
//! blocks, so memory grows linearly with `n`.
//!
//! # The value between the bounds
//! Let `chi` be the chi-square information of the channel, `E[exp(A_ii) / mean_j exp(A_ij)] - 1`. To first
//! order in `1/n`, the upper bound has the bias `+chi / 2n` and the lower bound has the bias `-chi / 2n`. So
//! their midpoint has no bias to this order. If the channel distinguishes all inputs perfectly, the midpoint
//! is the Miller-Madow entropy. The estimate is the midpoint, limited to at most the smallest ceiling and at
//! least the lower bound. The ceiling has an effect when the upper bound is far too high; the estimate then
//! has the flag `saturated`.
//!
//! The standard error is the standard deviation of the terms divided by `sqrt(n)`. This formula ignores that
//! `y` is standardised with moments of the same sample, which removes part of the variation. The standard
//! error is accurate for states with many dimensions or few distinct values. It is too large if the norm of
//! `y` causes most of the variation: by a factor of 2.4 for a Gaussian in 3 dimensions at b = .4.
//!
//! # References
//! Goldfeld et al., ICML 2019 (the channel); Poole et al., ICML 2019, and Kolchinsky & Tracey, Entropy 2017
//! (the bounds); McAllester & Stratos, AISTATS 2020 (limit of log n); Miller 1955 (entropy).

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

/// If the entropy of `y` given `x` is at most this, rows that share `x` are treated as collisions.
const COLLISIONS_NATS: f64 = 0.03;

/// The allowed range of `b`. Below this range, the rounding error of `f32` distances, about `5e-7 / b^2`
/// nats, is no longer small. Above it, the information vanishes.
const PRECISIONS: (f64, f64) = (1e-3, 1e3);

/// Bounds are flagged as saturated if the lower bound exceeds this fraction of `log n`.
const SATURATED: f64 = 0.85;
/// Bounds are flagged as saturated if they are further apart than this.
const WIDE_GAP_NATS: f64 = 0.5;

/// The `channel` estimator, with its scale and its precisions.
///
/// | parameter | default | purpose | range |
/// |---|---|---|---|
/// | `scale` | [`Scale::Spread`] | scale of `y` to which the noise is relative | |
/// | `precisions` | .10 .15 .25 .40 | size `b` of the noise | .001 to 1000, at least one |
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    scale: Scale,
    precisions: Cow<'static, [f64]>,
}

impl Channel {
    /// The name of the estimator.
    pub const DEFAULT_NAME: &'static str = NAME;

    /// [`Scale::Spread`] at its default precisions.
    pub const DEFAULT: Self = Self::with_scale(Scale::Spread);

    /// An estimator with this scale at the default precisions of the scale.
    #[must_use]
    pub const fn with_scale(scale: Scale) -> Self {
        Self { scale, precisions: Cow::Borrowed(scale.default_precisions()) }
    }

    /// An estimator with this scale at these precisions `b`. Estimates are returned in the order of
    /// `precisions`.
    ///
    /// # Errors
    /// [`Error::Parameter`] if `precisions` is empty or a value is not between .001 and 1000.
    pub fn new(scale: Scale, precisions: Vec<f64>) -> Result<Self> {
        let out_of_range = |reason| Error::Parameter { name: "b", reason };
        if precisions.is_empty() {
            return Err(out_of_range("needs at least one precision; give one, such as .25".to_owned()));
        }
        let (least, most) = PRECISIONS;
        if let Some(b) = precisions.iter().find(|b| !(least..=most).contains(*b)) {
            return Err(out_of_range(format!(
                "{b} is out of range; give a precision from {least} to {most}"
            )));
        }
        Ok(Self { scale, precisions: precisions.into() })
    }

    /// The scale of `y` to which the noise is relative.
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
            what: "information through a channel of stated precision b, with a lower and an upper bound",
            reference: "Goldfeld et al. 2019; Poole et al. 2019; Kolchinsky & Tracey 2017",
            cost: "2 n^2 d in total, for any number of values of b: .4 s at n = 4000, d = 768",
            limits: "adds noise of b times the spread of y, so it does not measure the information of \
                     continuous x and y",
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
            "if each row of x occurs once, channel treats y as a function of x: the estimate shows how many \
             values of y can be distinguished at precision b, not the information of noisy pairs",
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

/// The fields that the estimates at all precisions have in common.
struct Common {
    n: usize,
    n_distinct: usize,
    dims: [usize; 2],
    constant_y: Vec<usize>,
    input_entropy_nats: f64,
    grouped: bool,
    /// Maximum increase of the lower bound because rows that share `x` were treated as rows with different
    /// `x`; 0 if they were not.
    collisions_nats: f64,
}

impl Common {
    /// The estimate if one side is constant: the information is zero by definition, without error.
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
        // The lower bound can exceed the Gaussian ceiling by chance. The estimate must stay between the
        // bounds.
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
