//! Fits a copula to normal scores: a t copula if it fits significantly better than the normal copula,
//! otherwise the normal copula.
//!
//! The formulae are in [`crate::mi::estimators::t_copula`].
//!
//! # References
//! Demarta & McNeil, *The t copula and related copulas* (2005).

use ndarray::{Array2, ArrayView2, Axis, s};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use rayon::prelude::*;

use super::contrast::{COMPARED, contrast, normaliser_nats};
use super::copula_likelihood::{best_t, normal_log_likelihood};
use super::t_density::{Density, log_density, t_entropy, to_t};
use crate::numeric::linear::{BLOCK, cholesky, covariance, gaussian_nats, invert_lower, wishart_bias_nats};
use crate::numeric::normal_scores::to_normal_scores;
use crate::numeric::statistics::mean_and_stderr;
use crate::seed::stream;
use crate::{Error, Result};

/// Largest acceptable mean log normaliser over unpaired rows, in nats. On 40 distributions that the copula
/// describes, this mean is at most .011. The mean is .03 or more for rotated uniform columns, where nearest
/// neighbours find little information, and .2 to 4 for columns that are functions of a few latent values.
const MOST_EXCESS_NATS: f64 = 0.02;

/// A fitted copula.
#[derive(Debug, Clone)]
pub(crate) struct Copula {
    dx: usize,
    /// Degrees of freedom; `None` for the normal copula.
    nu: Option<f64>,
    scatter: Array2<f64>,
    /// Lower Cholesky factor of the scatter matrix.
    factor: Array2<f64>,
    /// The samples transformed to the marginals of the copula, `(n, d)`.
    values: Array2<f64>,
    /// The information of the copula, after bias correction.
    pub(crate) mi_nats: f64,
    /// The bias that was subtracted.
    pub(crate) bias_nats: f64,
}

impl Copula {
    /// Fits the copula.
    ///
    /// # Errors
    /// [`Error::Samples`] if the covariance of the scores is singular.
    pub(crate) fn new(estimator: &'static str, scores: &Array2<f64>, dx: usize, seed: u64) -> Result<Self> {
        let singular = || Error::Samples {
            estimator,
            reason: "the covariance of the normal scores is singular; drop columns that are functions of \
                     others"
                .into(),
        };
        let (n, d) = scores.dim();
        let bias_nats = wishart_bias_nats(n, dx, d - dx);
        let scatter = covariance(scores.view());
        let factor = cholesky(&scatter, 1e-12).ok_or_else(singular)?;
        let normal = gaussian_nats(&scatter, dx).ok_or_else(singular)?;
        let base = normal_log_likelihood(scores, &factor);
        let best = best_t(scores);
        let t = best.filter(|t| t.log_likelihood - base > 2.0 * (n as f64).ln() / n as f64);
        let fit = |nu, scatter: Array2<f64>, factor, values, mi_nats: f64| Self {
            dx,
            nu,
            scatter,
            factor,
            values,
            mi_nats: mi_nats - bias_nats,
            bias_nats,
        };
        let normal = || fit(None, scatter.clone(), factor.clone(), scores.clone(), normal);
        let Some(t) = t else { return Ok(normal()) };
        // Keep only one copula in memory at a time, because each contains a copy of the samples.
        let other = normal().held_out(seed).0;
        let shared = gaussian_nats(&t.scatter, dx).ok_or_else(singular)?;
        let tails = t_entropy(dx, t.nu) + t_entropy(d - dx, t.nu) - t_entropy(d, t.nu);
        let values = to_t(scores, t.nu).ok_or_else(singular)?;
        let factor = cholesky(&t.scatter, 1e-12).ok_or_else(singular)?;
        let t = fit(Some(t.nu), t.scatter, factor, values, shared + tails);
        let own = t.held_out(seed).0;
        let gains: Vec<f64> = own.iter().zip(&other).map(|(t, normal)| t - normal).collect();
        let (mean, stderr) = mean_and_stderr(&gains);
        Ok(if mean > 2.0 * stderr {
            t
        } else {
            drop(t);
            normal()
        })
    }

    /// Evaluates a contrastive bound on random groups of at most [`COMPARED`] rows. Returns the term of each
    /// sample, and the mean log normaliser of each group.
    pub(crate) fn held_out(&self, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let n = self.values.nrows();
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut stream("mi/t-copula", "groups", seed));
        let groups = n.div_ceil(COMPARED);
        let ratios = PairwiseRatios::new(self);
        let found = order.par_chunks(n.div_ceil(groups)).map(|rows| {
            let pairwise = ratios.log_ratios(rows);
            (contrast(&pairwise, rows.len()), normaliser_nats(pairwise, rows.len()))
        });
        let (contrasts, normalisers): (Vec<Vec<f64>>, Vec<f64>) = found.unzip();
        let mut terms = vec![0.0; n];
        order.iter().zip(contrasts.concat()).for_each(|(row, term)| terms[*row] = term);
        (terms, normalisers)
    }

    /// Whether the copula fails to describe the samples. For the true copula, the mean density ratio of
    /// unpaired rows is one. The method checks on a random subset of rows whether this mean is clearly above
    /// one.
    pub(crate) fn is_misfit(&self, seed: u64) -> bool {
        let mut rows: Vec<usize> = (0..self.values.nrows()).collect();
        rows.shuffle(&mut stream("mi/t-copula", "check", seed));
        rows.truncate(COMPARED);
        let pairwise = PairwiseRatios::new(self).log_ratios(&rows);
        normaliser_nats(pairwise, rows.len()) > MOST_EXCESS_NATS
    }

    /// The log density ratio of each sample.
    pub(crate) fn log_ratios(&self) -> Vec<f64> {
        let d = self.scatter.nrows();
        let part = |range: std::ops::Range<usize>| {
            let scatter = self.scatter.slice(s![range.clone(), range.clone()]).to_owned();
            let factor = cholesky(&scatter, 0.0).unwrap_or_else(|| Array2::eye(range.len()));
            log_density(self.values.slice(s![.., range]), &factor, self.nu)
        };
        let (joint, x, y) = (part(0..d), part(0..self.dx), part(self.dx..d));
        joint.iter().zip(&x).zip(&y).map(|((joint, x), y)| joint - x - y).collect()
    }

    /// Standard error of the information. It combines the standard error of the mean log density ratio with
    /// the error of the estimated scatter matrix, which matters in many dimensions.
    pub(crate) fn stderr_nats(&self) -> f64 {
        let terms = self.log_ratios();
        let (_, stderr) = mean_and_stderr(&terms);
        let (n, d) = self.values.dim();
        let freedom = (n as f64 - d as f64 - 1.0).max(1.0);
        (stderr.powi(2) + (self.dx * (d - self.dx)) as f64 / (2.0 * freedom * freedom)).sqrt()
    }

    /// Draws `n` samples from the copula, as normal scores.
    pub(crate) fn sample(&self, n: usize, generator: &mut impl Rng) -> Array2<f64> {
        let d = self.factor.nrows();
        let mut values = Array2::from_shape_simple_fn((n, d), || -> f64 { StandardNormal.sample(generator) });
        for mut rows in values.axis_chunks_iter_mut(Axis(0), BLOCK) {
            let of_rows = rows.dot(&self.factor.t());
            rows.assign(&of_rows);
        }
        if let Some((nu, chi)) = self.nu.and_then(|nu| Some((nu, ChiSquared::new(nu).ok()?))) {
            for mut row in values.rows_mut() {
                let scale: f64 = (chi.sample(generator) / nu).max(1e-300).sqrt().recip();
                row.mapv_inplace(|value| value * scale);
            }
        }
        to_normal_scores(&mut values);
        values
    }
}

/// Computes the density ratios of every `x` with every `y` under a copula. The cross term of the joint
/// distance is bilinear, so one matrix product computes it for all pairs.
struct PairwiseRatios<'a> {
    copula: &'a Copula,
    precision: Array2<f64>,
    /// Lower Cholesky factors of the scatter matrices of `x` and of `y`.
    factors: [Array2<f64>; 2],
}

impl<'a> PairwiseRatios<'a> {
    fn new(copula: &'a Copula) -> Self {
        let inverse = invert_lower(&copula.factor);
        let factor = |side: std::ops::Range<usize>| {
            let block = copula.scatter.slice(s![side.clone(), side.clone()]).to_owned();
            cholesky(&block, 0.0).unwrap_or_else(|| Array2::eye(side.len()))
        };
        let factors = [factor(0..copula.dx), factor(copula.dx..copula.scatter.nrows())];
        Self { copula, precision: inverse.t().dot(&inverse), factors }
    }

    /// Log density ratios of every `x` with every `y` of the given rows, row-major.
    fn log_ratios(&self, rows: &[usize]) -> Vec<f32> {
        let (copula, precision) = (self.copula, &self.precision);
        let (d, dx) = (copula.scatter.nrows(), copula.dx);
        let values = copula.values.select(Axis(0), rows);
        let (x, y) = (values.slice(s![.., ..dx]), values.slice(s![.., dx..]));
        let side =
            |values: ArrayView2<'_, f64>, range: std::ops::Range<usize>, factor| -> (Vec<f64>, Vec<f64>) {
                let own = values.dot(&precision.slice(s![range.clone(), range]));
                let squares = own.rows().into_iter().zip(values.rows()).map(|(a, b)| a.dot(&b)).collect();
                (squares, log_density(values, factor, copula.nu))
            };
        let ((qx, lx), (qy, ly)) = (side(x, 0..dx, &self.factors[0]), side(y, dx..d, &self.factors[1]));
        let cross = x.dot(&precision.slice(s![..dx, dx..])).dot(&y.t());
        let of = Density::new(d, &copula.factor, copula.nu);
        let pairs = cross.indexed_iter().map(|((i, j), cross)| {
            let distance = (qx[i] + qy[j] + 2.0 * cross).max(0.0);
            (of.log(distance) - lx[i] - ly[j]) as f32
        });
        pairs.collect()
    }
}
