//! Computes the nearest-neighbour residual: the information that nearest neighbours find in the samples and
//! that a fitted model misses.
//!
//! The residual is `KSG(samples) - mean KSG(samples drawn from the model)`, with equal sample sizes. Both
//! terms have the same bias, so the residual is small in any dimension if the model fits.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger 2004; Efron & Tibshirani 1993 (parametric bootstrap of a bias).

use ndarray::{Array2, Axis, concatenate, s};
use rand::seq::SliceRandom;

use super::copula::Copula;
use crate::mi::neighbours::canonical_variates::CanonicalVariates;
use crate::mi::neighbours::ksg::{dependence_inflation, pointwise_nats};
use crate::numeric::statistics::mean_and_stderr;
use crate::seed::stream;

/// Maximum number of columns of both sides together, for nearest neighbours in all coordinates.
const MOST_COLUMNS: usize = 12;
/// Number of samples drawn from the model.
const DRAWS: usize = 2;

/// The two sides of the samples in one view, that is, in one choice of coordinates.
pub(crate) type Sides = (Array2<f64>, Array2<f64>);

/// The residual of a nearest-neighbour estimate relative to a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual {
    pub(crate) nats: f64,
    /// Standard deviation of the residual if the model is true.
    pub(crate) noise_nats: f64,
    /// Standard error of the sum of the model estimate and the residual. Errors of the model cancel in this
    /// sum, so it equals the standard error of the nearest-neighbour estimate.
    pub(crate) stderr_nats: f64,
}

/// Computes the residual relative to the copula in both views, and returns the larger residual.
pub(crate) fn copula_residual(scores: &Array2<f64>, copula: &Copula, dx: usize, seed: u64) -> Residual {
    let mut generator = stream("mi/hybrid", "copula", seed);
    let view = CanonicalVariates::new(scores, dx);
    let project = |a: &Array2<f64>| view.as_ref().map(|view| view.project(a, dx));
    // A drawn sample is as large as the data, so keep only its views.
    let draw = || Views::of(&copula.sample(scores.nrows(), &mut generator), dx, &project);
    Views::of(scores, dx, &project).beyond(draw, copula.stderr_nats())
}

/// Computes the residual relative to randomly re-paired samples in both views, and returns the larger
/// residual. Re-paired samples have no information, so this residual estimates all of the information between
/// the sides.
pub(crate) fn independence_residual(scores: &Array2<f64>, dx: usize, seed: u64) -> Residual {
    let mut generator = stream("mi/hybrid", "torn", seed);
    // Choose new directions for each pairing, because choosing directions also fits chance correlations.
    let project = |a: &Array2<f64>| CanonicalVariates::new(a, dx).map(|view| view.project(a, dx));
    let repair = || {
        let mut order: Vec<usize> = (0..scores.nrows()).collect();
        order.shuffle(&mut generator);
        let y = scores.slice(s![.., dx..]).select(Axis(0), &order);
        Views::of(&concatenate![Axis(1), scores.slice(s![.., ..dx]), y], dx, &project)
    };
    Views::of(scores, dx, &project).beyond(repair, 0.0)
}

/// The coordinates in which nearest neighbours are searched.
struct Views {
    /// All columns; `None` if there are more than [`MOST_COLUMNS`].
    all: Option<Sides>,
    /// The leading canonical variates; `None` if the covariance is singular.
    variates: Option<Sides>,
}

impl Views {
    fn of(scores: &Array2<f64>, dx: usize, project: &dyn Fn(&Array2<f64>) -> Option<Sides>) -> Self {
        let all = (scores.ncols() <= MOST_COLUMNS).then(|| sides(scores, dx));
        Self { all, variates: project(scores) }
    }

    /// Computes the residuals in the two views relative to samples drawn from a model, and returns the larger
    /// residual.
    fn beyond(&self, mut draw: impl FnMut() -> Self, stderr_nats: f64) -> Residual {
        let drawn: Vec<Self> = (0..DRAWS).map(|_| draw()).collect();
        let residual = |of: fn(&Self) -> &Option<Sides>| {
            let drawn: Vec<&Sides> = drawn.iter().filter_map(|drawn| of(drawn).as_ref()).collect();
            of(self).as_ref().filter(|_| drawn.len() == DRAWS).map(|seen| residual(seen, &drawn))
        };
        let residuals = [residual(|views| &views.all), residual(|views| &views.variates)];
        let none = Residual { nats: 0.0, noise_nats: 0.0, stderr_nats };
        residuals.into_iter().flatten().max_by(|a, b| a.nats.total_cmp(&b.nats)).unwrap_or(none)
    }
}

/// Splits samples into `x`, the first `dx` columns, and `y`.
pub(crate) fn sides(a: &Array2<f64>, dx: usize) -> Sides {
    (a.slice(s![.., ..dx]).to_owned(), a.slice(s![.., dx..]).to_owned())
}

/// The nearest-neighbour estimate on the samples minus its mean on samples drawn from a model.
pub(crate) fn residual(seen: &Sides, drawn: &[&Sides]) -> Residual {
    let ksg = |(u, v): &Sides| mean_and_stderr(&pointwise_nats(u, v));
    let (nats, stderr) = ksg(seen);
    let expected: Vec<(f64, f64)> = drawn.iter().map(|drawn| ksg(drawn)).collect();
    let count = drawn.len() as f64;
    let mean = expected.iter().map(|(mean, _)| mean).sum::<f64>() / count;
    let variance = expected.iter().map(|(_, stderr)| stderr * stderr).sum::<f64>() / (count * count);
    let total = (stderr * stderr + variance).sqrt();
    Residual {
        nats: nats - mean,
        noise_nats: total,
        stderr_nats: total * dependence_inflation(&seen.0, &seen.1, stderr),
    }
}
