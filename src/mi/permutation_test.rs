//! Checks an estimator with a permutation test of independence, and with a self-check on Gaussian samples of
//! the same shape and of known information.

use ndarray::{Array2, Axis};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::row_order::RowDependence;
use super::{Estimator, Kind, Pairs};
use crate::numeric::statistics::{mean, variance};
use crate::seed::{derive, stream};
use crate::{Error, Result};

/// True information of the Gaussian samples in a self-check, in nats.
pub const CHECKED_NATS: [f64; 3] = [0.0, 1.0, 3.0];
/// Maximum number of coordinates of each side over which a self-check spreads the information.
const SHARED: usize = 4;

/// How a permutation test re-pairs the rows of `x` with rows of `y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Shuffles the rows of `y`. Valid for independent rows.
    #[default]
    Shuffled,
    /// Shifts all rows of `y` by the same random number of rows and wraps around at the end. Valid for rows
    /// that depend on earlier rows: both series keep their autocorrelation, so the shifted estimates follow
    /// the null distribution. The shift is any number of rows except 0. Excluding small shifts would make the
    /// p value too small. Because small shifts are included, the p value cannot fall below about twice the
    /// autocorrelation time divided by the number of rows.
    CircularShifts,
}

/// The result of a permutation test of independence, which compares the observed estimate with estimates on
/// re-paired rows.
///
/// # References
/// Politis & Romano 1992 (circular blocks); Quiroga, Kraskov, Kreuz, Grassberger 2002 (shifts of one series).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PermutationTest {
    /// How rows are re-paired.
    #[serde(default)]
    pub pairing: Pairing,
    /// Number of permutations.
    pub permutations: usize,
    /// `(1 + number of permuted estimates not below the observed estimate) / (1 + permutations)`: the
    /// probability, under independence, of an estimate at least this large.
    pub p_value: f64,
    /// Mean of the permuted estimates.
    pub mean_nats: f64,
    /// Standard deviation of the permuted estimates; `None` for a single permutation.
    pub sd_nats: Option<f64>,
    /// Largest permuted estimate.
    pub max_nats: f64,
}

impl Pairing {
    /// Circular shifts if rows depend on earlier rows, otherwise a shuffle.
    #[must_use]
    pub fn of(rows: Option<&RowDependence>) -> Self {
        if rows.is_some() { Self::CircularShifts } else { Self::Shuffled }
    }

    /// For each row of `x`, the row of `y` that it is paired with.
    fn order(self, n: usize, label: &str, seed: u64) -> Vec<usize> {
        let mut generator = stream("mi/permutation", label, seed);
        match self {
            Self::Shuffled => {
                let mut order: Vec<usize> = (0..n).collect();
                order.shuffle(&mut generator);
                order
            }
            Self::CircularShifts => {
                let shift = generator.random_range(1..n);
                (0..n).map(|row| (row + shift) % n).collect()
            }
        }
    }
}

/// Estimates the information of `permutations` random pairings and compares `observed_nats` with these
/// estimates.
///
/// # Errors
/// Returns the errors of the estimator. [`Error::Parameter`] if `permutations` is 0, or if the estimator is
/// `channel`, which treats `y` as a function of `x`: a row of `x` that occurs once determines its `y` in
/// every permutation.
pub fn permutation_test(
    estimator: &dyn Estimator,
    pairs: &Pairs<'_>,
    observed_nats: f64,
    permutations: usize,
    pairing: Pairing,
    seed: u64,
    step: &dyn Fn(),
) -> Result<PermutationTest> {
    let refuse = |reason: &str| Err(Error::Parameter { name: "--permutations", reason: reason.to_owned() });
    if permutations == 0 {
        return refuse("must be at least 1");
    }
    if estimator.about().kind == Kind::TwoSided {
        return refuse(
            "is not possible with this estimator, which treats y as a function of x; choose another \
             estimator",
        );
    }
    let mut estimates = vec![];
    for index in 0..permutations {
        let label = index.to_string();
        let order = pairing.order(pairs.n(), &label, seed);
        let (x, permuted_y) = (pairs.x(), pairs.y().select(Axis(0), &order));
        let permuted = Pairs::new(x.view(), permuted_y.view())?;
        let estimate = estimator.estimate(&permuted, derive("mi/permutation/estimate", &label, seed))?;
        estimates.extend(estimate.first().map(|estimate| estimate.mi_nats));
        step();
    }
    let k = estimates.len() as f64;
    let as_large = estimates.iter().filter(|value| **value >= observed_nats).count() as f64;
    Ok(PermutationTest {
        pairing,
        permutations,
        p_value: (1.0 + as_large) / (1.0 + k),
        mean_nats: mean(&estimates),
        sd_nats: variance(&estimates).map(f64::sqrt),
        max_nats: estimates.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    })
}

/// An estimate on Gaussian samples of known information.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelfCheckResult {
    /// The noise scale of the estimate, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_scale: Option<f64>,
    /// The true information. For `channel`, the information that a Gaussian `y` passes through the channel.
    pub true_nats: f64,
    /// The estimate; `None` if the estimator rejected the samples.
    pub mi_nats: Option<f64>,
    /// Standard error of the estimate.
    pub stderr_nats: Option<f64>,
    /// The error message, if the estimator rejected the samples.
    pub refused: Option<String>,
}

/// Runs an estimator on Gaussian samples of shape `(n, dx)` and `(n, dy)` with 0, 1 and 3 nats of
/// information.
pub fn self_check(
    estimator: &dyn Estimator,
    n: usize,
    [dx, dy]: [usize; 2],
    seed: u64,
    step: &dyn Fn(),
) -> Vec<SelfCheckResult> {
    let mut checks = vec![];
    for truth in CHECKED_NATS {
        let label = truth.to_string();
        let (x, y) = gaussian(n, [dx, dy], truth, derive("mi/self-check", &label, seed));
        let refused = |error: &Error| SelfCheckResult {
            noise_scale: None,
            true_nats: truth,
            mi_nats: None,
            stderr_nats: None,
            refused: Some(error.to_string()),
        };
        let estimates = Pairs::new(x.view(), y.view())
            .and_then(|pairs| estimator.estimate(&pairs, derive("mi/self-check/estimate", &label, seed)));
        match estimates {
            Err(error) => checks.push(refused(&error)),
            Ok(estimates) => checks.extend(estimates.iter().map(|estimate| {
                // The information that `dy` Gaussian coordinates pass through the channel.
                let carried = |b: f64| 0.5 * dy as f64 * (b.powi(2) * dy as f64).recip().ln_1p();
                SelfCheckResult {
                    noise_scale: estimate.noise_scale,
                    true_nats: estimate.noise_scale.map_or(truth, carried),
                    mi_nats: Some(estimate.mi_nats),
                    stderr_nats: estimate.stderr_nats,
                    refused: None,
                }
            })),
        }
        step();
    }
    checks
}

/// Gaussian samples with `nats` of information, spread evenly over up to four coordinates of each side.
fn gaussian(n: usize, [dx, dy]: [usize; 2], nats: f64, seed: u64) -> (Array2<f32>, Array2<f32>) {
    let shared = SHARED.min(dx).min(dy);
    let correlation = (-(-2.0 * nats / shared as f64).exp_m1()).sqrt();
    let mut generator = stream("mi/gaussian", "", seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut generator) };
    let x = Array2::from_shape_simple_fn((n, dx), &mut draw);
    let mut y = Array2::from_shape_simple_fn((n, dy), &mut draw);
    for ((row, column), value) in y.indexed_iter_mut().filter(|((_, column), _)| *column < shared) {
        *value = correlation * x[[row, column]] + (1.0 - correlation * correlation).sqrt() * *value;
    }
    (x.mapv(|value| value as f32), y.mapv(|value| value as f32))
}
