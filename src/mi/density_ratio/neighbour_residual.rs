//! The information that a nearest-neighbour estimate finds in the samples beyond a model of them.
//!
//! `KSG(samples) - mean KSG(as many samples from the model)`: both terms have the same bias, so that the
//! difference is small where the model fits, in any dimension.
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

/// Most columns, both sides together, for neighbours in all coordinates.
const MOST_COLUMNS: usize = 12;
/// Samples drawn from the copula.
const DRAWS: usize = 2;

/// Both sides of the samples through a view.
pub(crate) type Sides = (Array2<f64>, Array2<f64>);

/// The residual of a nearest-neighbour estimate over a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual {
    pub(crate) nats: f64,
    /// Standard deviation of the residual where there is none: that of the difference of two estimates from
    /// samples of the model.
    pub(crate) noise_nats: f64,
    /// Standard error of model and residual together: that of the neighbours alone, because the errors of the
    /// model cancel.
    pub(crate) stderr_nats: f64,
}

/// The larger of the residuals of the two views.
pub(crate) fn copula_residual(scores: &Array2<f64>, copula: &Copula, dx: usize, seed: u64) -> Residual {
    let mut generator = stream("mi/hybrid", "copula", seed);
    let view = CanonicalVariates::new(scores, dx);
    let project = |a: &Array2<f64>| view.as_ref().map(|view| view.project(a, dx));
    // Drawn samples are as large as the samples, and are not stored.
    let draw = || Views::of(&copula.sample(scores.nrows(), &mut generator), dx, &project);
    Views::of(scores, dx, &project).beyond(draw, copula.stderr_nats())
}

/// The larger of the residuals of two views over random pairings, which is the whole information of the two
/// sides.
pub(crate) fn independence_residual(scores: &Array2<f64>, dx: usize, seed: u64) -> Residual {
    let mut generator = stream("mi/hybrid", "torn", seed);
    // Directions are chosen for each pairing, because the choice itself adapts to chance.
    let project = |a: &Array2<f64>| CanonicalVariates::new(a, dx).map(|view| view.project(a, dx));
    let repair = || {
        let mut order: Vec<usize> = (0..scores.nrows()).collect();
        order.shuffle(&mut generator);
        let y = scores.slice(s![.., dx..]).select(Axis(0), &order);
        Views::of(&concatenate![Axis(1), scores.slice(s![.., ..dx]), y], dx, &project)
    };
    Views::of(scores, dx, &project).beyond(repair, 0.0)
}

/// The coordinates in which neighbours are searched.
struct Views {
    /// All columns, where there are few.
    all: Option<Sides>,
    /// The leading canonical variates, where there are any.
    variates: Option<Sides>,
}

impl Views {
    fn of(scores: &Array2<f64>, dx: usize, project: &dyn Fn(&Array2<f64>) -> Option<Sides>) -> Self {
        let all = (scores.ncols() <= MOST_COLUMNS).then(|| sides(scores, dx));
        Self { all, variates: project(scores) }
    }

    /// The larger of the two residuals over drawn samples.
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

/// The two sides of samples whose first `dx` columns are `x`.
pub(crate) fn sides(a: &Array2<f64>, dx: usize) -> Sides {
    (a.slice(s![.., ..dx]).to_owned(), a.slice(s![.., dx..]).to_owned())
}

/// The nearest-neighbour estimate of the samples minus that of samples drawn from a model.
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
