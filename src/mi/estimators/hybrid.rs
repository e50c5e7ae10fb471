//! `hybrid`: the t copula, corrected by what nearest neighbours see beyond it.
//!
//! ```text
//! I = I_t + max over views [ KSG(samples) - mean KSG(as many samples from the fitted copula) ]
//! ```
//!
//! Both terms of the difference have the same bias, so that it is small where the copula fits, in any
//! dimension. The views are the leading canonical variates and, up to 12 columns in all, the normal scores of
//! all coordinates. The larger of two noisy residuals is kept: that adds .01 to .03 where there is no
//! information.
//!
//! # References
//! Kraskov, Stögbauer, Grassberger 2004; Demarta & McNeil 2005; Efron & Tibshirani 1993 (parametric bootstrap
//! of a bias).

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rand::seq::SliceRandom;

use super::cca_ksg::View;
use super::ksg::{mean_and_stderr, need_neighbours, terms_nats, together};
use super::t_copula::Fit;
use crate::Result;
use crate::mi::samples::paired::{Found, Samples};
use crate::mi::{About, Estimate, Estimator, Kind};
use crate::seed::stream;

/// Most columns, both sides together, for neighbours in all coordinates.
const MOST_COLUMNS: usize = 12;
/// Samples drawn from the copula.
const DRAWS: usize = 2;

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hybrid;

impl Estimator for Hybrid {
    fn name(&self) -> &'static str {
        "hybrid"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "t copula plus what ksg sees beyond it, against samples from the fitted copula",
            reference: "Demarta & McNeil 2005; Kraskov, Stoegbauer, Grassberger 2004",
            cost: "150 n d^2 + 6 n^2 d: .3 s at n = 5000",
            limits: "n >= d_x + d_y + 2; beyond 12 columns it sees three linear projections apart from the \
                     copula",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        samples.count_copies_once();
        samples.need_covariance()?;
        need_neighbours(&samples)?;
        if let Some(infinite) = samples.need_independent_ranks(kind) {
            return Ok(vec![infinite]);
        }
        samples.jitter(seed);
        let scores = samples.take_scores();
        let fit = Fit::new(self.name(), &scores, samples.dx(), seed)?;
        let residual = residual(&scores, &fit, samples.dx(), seed);
        let stderr_nats = Some(residual.stderr_nats.max(fit.stderr_nats()));
        let found = Found { mi_nats: fit.mi_nats + residual.nats, stderr_nats, ..Found::default() };
        Ok(vec![samples.report(kind, found)])
    }
}

/// Both sides of the samples through a view.
pub(crate) type Sides = (Array2<f64>, Array2<f64>);

/// What neighbours see beyond a model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Residual {
    pub(crate) nats: f64,
    /// Standard deviation of the residual where there is none: that of the difference of two estimates from
    /// samples of the model.
    pub(crate) noise_nats: f64,
    /// Standard error of model and residual together: the model follows the samples, so that the neighbours'
    /// own error is what is left.
    pub(crate) stderr_nats: f64,
}

/// The larger of the residuals of the two views.
pub(crate) fn residual(scores: &Array2<f64>, fit: &Fit, dx: usize, seed: u64) -> Residual {
    let mut generator = stream("mi/hybrid", "copula", seed);
    let view = View::new(scores, dx);
    let project = |a: &Array2<f64>| view.as_ref().map(|view| view.project(a, dx));
    // What is drawn is as large as the samples, and is not kept.
    let draw = || Views::of(&fit.sample(scores.nrows(), &mut generator), dx, &project);
    Views::of(scores, dx, &project).beyond(draw, fit.stderr_nats())
}

/// The larger of what two views see in the samples beyond what they see in pairs that were torn apart, which
/// holds all that is shared.
pub(crate) fn beyond_independence(scores: &Array2<f64>, dx: usize, seed: u64) -> Residual {
    let mut generator = stream("mi/hybrid", "torn", seed);
    // Directions are chosen anew for each: they follow the chance of the pairs they are chosen on.
    let project = |a: &Array2<f64>| View::new(a, dx).map(|view| view.project(a, dx));
    let tear = || {
        let mut order: Vec<usize> = (0..scores.nrows()).collect();
        order.shuffle(&mut generator);
        let y = scores.slice(s![.., dx..]).select(Axis(0), &order);
        Views::of(&concatenate![Axis(1), scores.slice(s![.., ..dx]), y], dx, &project)
    };
    Views::of(scores, dx, &project).beyond(tear, 0.0)
}

/// Samples as neighbours look at them.
struct Views {
    /// All columns, where they are few.
    all: Option<Sides>,
    /// The leading variates, where there are any.
    variates: Option<Sides>,
}

impl Views {
    fn of(scores: &Array2<f64>, dx: usize, project: &dyn Fn(&Array2<f64>) -> Option<Sides>) -> Self {
        let all = (scores.ncols() <= MOST_COLUMNS).then(|| sides(scores, dx));
        Self { all, variates: project(scores) }
    }

    /// The larger of the two residuals against what is drawn.
    fn beyond(&self, mut draw: impl FnMut() -> Self, stderr_nats: f64) -> Residual {
        let drawn: Vec<Self> = (0..DRAWS).map(|_| draw()).collect();
        let residual = |of: fn(&Self) -> &Option<Sides>| {
            let drawn: Vec<&Sides> = drawn.iter().filter_map(|drawn| of(drawn).as_ref()).collect();
            of(self).as_ref().filter(|_| drawn.len() == DRAWS).map(|seen| beyond(seen, &drawn))
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

/// What neighbours see in the samples beyond what they see in samples drawn from a model.
pub(crate) fn beyond(seen: &Sides, drawn: &[&Sides]) -> Residual {
    let ksg = |(u, v): &Sides| mean_and_stderr(&terms_nats(u, v));
    let (nats, stderr) = ksg(seen);
    let expected: Vec<(f64, f64)> = drawn.iter().map(|drawn| ksg(drawn)).collect();
    let count = drawn.len() as f64;
    let mean = expected.iter().map(|(mean, _)| mean).sum::<f64>() / count;
    let variance = expected.iter().map(|(_, stderr)| stderr * stderr).sum::<f64>() / (count * count);
    let total = (stderr * stderr + variance).sqrt();
    Residual { nats: nats - mean, noise_nats: total, stderr_nats: total * together(&seen.0, &seen.1, stderr) }
}
