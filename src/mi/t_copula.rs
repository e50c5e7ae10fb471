//! `t-copula`: the information of the t copula that fits the samples best.
//!
//! Marginals do not matter for mutual information. Their ranks are brought to those of a t distribution with `nu` degrees of freedom,
//! and the joint density is taken to be a multivariate t, whose information is known:
//!
//! ```text
//! I = 0.5 (logdet S_x + logdet S_y - logdet S) - Wishart bias + h(d_x, nu) + h(d_y, nu) - h(d_x + d_y, nu)
//! ```
//!
//! `h(d, nu)` is the entropy of a standard t vector. `S` and `nu` are those of maximum likelihood: `nu` on a grid, then by
//! golden section; `S` by fixed-point steps with weights `(nu + d) / (nu + m)`, `m` the squared Mahalanobis distance. The normal copula is
//! kept unless the mean log likelihood gains more than `2 log(n) / n`, and unless the t copula tells pairs that belong together from others better by two standard errors: columns of one side
//! that are large together gain likelihood too, and have nothing to do with the other side.
//!
//! # References
//! Demarta & McNeil, *The t copula and related copulas* (2005); Kotz & Nadarajah, *Multivariate t Distributions* (2004), for the entropy; Kent & Tyler 1991 (steps).

use ndarray::{Array2, ArrayView2, Axis, s};
use rand::Rng;
use rand::seq::SliceRandom;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::gamma::{digamma, ln_gamma};

use super::contrast::{contrast, normaliser_nats};
use super::critic;
use super::linear::{
    cholesky, covariance, gaussian_nats, invert_lower, log_determinant, mahalanobis, wishart_bias_nats,
};
use super::normal_scores::normal_scores;
use super::samples::{Found, Samples};
use super::{About, Estimate, Estimator, Kind};
use crate::seed::stream;
use crate::{Error, Result};

/// Where the search for the degrees of freedom starts.
const GRID: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 40.0];
/// Steps of golden section between two points of the grid, on the logarithm of `nu`.
const SECTIONS: usize = 6;
/// Fixed-point steps for the scatter matrix.
const STEPS: usize = 8;

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct TCopula;

impl Estimator for TCopula {
    fn name(&self) -> &'static str {
        "t-copula"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Parametric,
            what: "information of the t (or normal) copula of maximum likelihood",
            reference: "Demarta & McNeil 2005; Kotz & Nadarajah 2004",
            cost: "150 n d^2 and 2000 n d: .2 s at n = 5000, d = 5 + 5 with heavy tails, .05 s without",
            limits: "n >= d_x + d_y + 2; sees monotone dependence and common scale only",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        samples.need_covariance()?;
        if let Some(infinite) = samples.need_independent_ranks(kind) {
            return Ok(vec![infinite]);
        }
        if samples.has_ties() {
            samples.jitter(seed);
        }
        let scores = samples.scores();
        let fit = Fit::new(self.name(), &scores, samples.dx(), seed)?;
        let found = Found { mi_nats: fit.mi_nats, stderr_nats: Some(fit.stderr_nats()), ..Found::default() };
        Ok(vec![samples.report(kind, found)])
    }
}

/// A fitted copula.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    dx: usize,
    /// Degrees of freedom; `None` for the normal copula.
    nu: Option<f64>,
    scatter: Array2<f64>,
    /// Lower factor of the scatter matrix.
    factor: Array2<f64>,
    /// The samples with the marginals of the copula, `(n, d)`.
    values: Array2<f64>,
    /// Its information, its bias taken out.
    pub(crate) mi_nats: f64,
    /// What was taken out.
    pub(crate) bias_nats: f64,
}

impl Fit {
    /// # Errors
    /// [`Error::Samples`] if the scores are dependent.
    pub(crate) fn new(estimator: &'static str, scores: &Array2<f64>, dx: usize, seed: u64) -> Result<Self> {
        let singular = || Error::Samples {
            estimator,
            reason: "the covariance of the normal scores is singular; drop columns that are functions of others".into(),
        };
        let (n, d) = scores.dim();
        let bias_nats = wishart_bias_nats(n, dx, d - dx);
        let scatter = covariance(scores.view());
        let factor = cholesky(&scatter, 1e-12).ok_or_else(singular)?;
        let normal = gaussian_nats(&scatter, dx).ok_or_else(singular)?;
        let base = Likelihood::normal(scores, &factor);
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
        let normal = fit(None, scatter, factor, scores.clone(), normal);
        let Some(t) = t else {
            return Ok(normal);
        };
        let shared = gaussian_nats(&t.scatter, dx).ok_or_else(singular)?;
        let tails = t_entropy(dx, t.nu) + t_entropy(d - dx, t.nu) - t_entropy(d, t.nu);
        let t = fit(Some(t.nu), t.scatter, t.factor, t.values, shared + tails);
        let (own, other) = (t.heard(seed).0, normal.heard(seed).0);
        let gains: Vec<f64> = own.iter().zip(&other).map(|(t, normal)| t - normal).collect();
        let (mean, stderr) = super::ksg::mean_and_stderr(&gains);
        Ok(if mean > 2.0 * stderr { t } else { normal })
    }

    /// For each sample its part of a contrastive bound, in groups of some thousand, and for each group what the density ratios of rows that do not belong together exceed one by.
    pub(crate) fn heard(&self, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let n = self.values.nrows();
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut stream("mi/t-copula", "groups", seed));
        let groups = n.div_ceil(critic::COMPARED);
        let heard = order.par_chunks(n.div_ceil(groups)).map(|rows| {
            let across = self.log_ratios_across(rows);
            (contrast(&across, rows.len()), normaliser_nats(across, rows.len()))
        });
        let (heard, normalisers): (Vec<Vec<f64>>, Vec<f64>) = heard.unzip();
        let mut terms = vec![0.0; n];
        order.iter().zip(heard.concat()).for_each(|(row, term)| terms[*row] = term);
        (terms, normalisers)
    }

    /// The log density ratio of each sample.
    pub(crate) fn log_ratios(&self) -> Vec<f64> {
        let d = self.scatter.nrows();
        let part = |range: std::ops::Range<usize>| {
            let scatter = self.scatter.slice(s![range.clone(), range.clone()]).to_owned();
            let factor = cholesky(&scatter, 0.0).unwrap_or_else(|| Array2::eye(range.len()));
            log_density(&self.values.slice(s![.., range]).to_owned(), &factor, self.nu)
        };
        let (joint, x, y) = (part(0..d), part(0..self.dx), part(self.dx..d));
        joint.iter().zip(&x).zip(&y).map(|((joint, x), y)| joint - x - y).collect()
    }

    /// Log density ratios of every `x` with every `y` of some rows, row-major: distances in the joint space are bilinear, so that one product gives them.
    pub(crate) fn log_ratios_across(&self, rows: &[usize]) -> Vec<f32> {
        let (d, dx) = (self.scatter.nrows(), self.dx);
        let inverse = invert_lower(&self.factor);
        let precision = inverse.t().dot(&inverse);
        let values = self.values.select(Axis(0), rows);
        let (x, y) = (values.slice(s![.., ..dx]), values.slice(s![.., dx..]));
        let side = |values: ArrayView2<'_, f64>, range: std::ops::Range<usize>| -> (Vec<f64>, Vec<f64>) {
            let block = self.scatter.slice(s![range.clone(), range.clone()]).to_owned();
            let factor = cholesky(&block, 0.0).unwrap_or_else(|| Array2::eye(range.len()));
            let own = values.dot(&precision.slice(s![range.clone(), range]));
            let squares = own.rows().into_iter().zip(values.rows()).map(|(a, b)| a.dot(&b)).collect();
            (squares, log_density(&values.to_owned(), &factor, self.nu))
        };
        let ((qx, lx), (qy, ly)) = (side(x, 0..dx), side(y, dx..d));
        let cross = x.dot(&precision.slice(s![..dx, dx..])).dot(&y.t());
        let of = Density::new(d, &self.factor, self.nu);
        let pairs = cross.indexed_iter().map(|((i, j), cross)| {
            let distance = (qx[i] + qy[j] + 2.0 * cross).max(0.0);
            (of.log(distance) - lx[i] - ly[j]) as f32
        });
        pairs.collect()
    }

    /// Standard error of the information: that of the mean log density ratio, and what estimating the scatter adds in many dimensions.
    pub(crate) fn stderr_nats(&self) -> f64 {
        let terms = self.log_ratios();
        let (_, stderr) = super::ksg::mean_and_stderr(&terms);
        let (n, d) = self.values.dim();
        let freedom = (n as f64 - d as f64 - 1.0).max(1.0);
        (stderr.powi(2) + (self.dx * (d - self.dx)) as f64 / (2.0 * freedom * freedom)).sqrt()
    }

    /// As many samples from the copula, as normal scores.
    pub(crate) fn sample(&self, n: usize, generator: &mut impl Rng) -> Array2<f64> {
        let d = self.factor.nrows();
        let noise = Array2::from_shape_simple_fn((n, d), || -> f64 { StandardNormal.sample(generator) });
        let mut values = noise.dot(&self.factor.t());
        if let Some((nu, chi)) = self.nu.and_then(|nu| Some((nu, ChiSquared::new(nu).ok()?))) {
            for mut row in values.rows_mut() {
                let scale: f64 = (chi.sample(generator) / nu).max(1e-300).sqrt().recip();
                row.mapv_inplace(|value| value * scale);
            }
        }
        normal_scores(&values)
    }
}

/// A t copula of given degrees of freedom.
struct T {
    nu: f64,
    scatter: Array2<f64>,
    factor: Array2<f64>,
    values: Array2<f64>,
    log_likelihood: f64,
}

/// The best of the grid, improved by golden section between its neighbours.
fn best_t(scores: &Array2<f64>) -> Option<T> {
    let better = |a: Option<T>, b: Option<T>| match (a, b) {
        (Some(a), Some(b)) => Some(if b.log_likelihood > a.log_likelihood { b } else { a }),
        (a, b) => a.or(b),
    };
    let grid: Vec<Option<T>> = GRID.par_iter().map(|nu| Likelihood::t(scores, *nu)).collect();
    let value = |t: &Option<T>| t.as_ref().map_or(f64::NEG_INFINITY, |t| t.log_likelihood);
    let at = (0..GRID.len()).max_by(|a, b| value(&grid[*a]).total_cmp(&value(&grid[*b])))?;
    if at == GRID.len() - 1 {
        return grid.into_iter().nth(at)?;
    }
    let (mut low, mut high) = (GRID[at.saturating_sub(1)].ln(), GRID[at + 1].ln());
    let mut best = grid.into_iter().nth(at)?;
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let fit = |log_nu: f64| Likelihood::t(scores, log_nu.exp());
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut fa, mut fb) = (fit(a), fit(b));
    for _ in 0..SECTIONS {
        let left = value(&fa) > value(&fb);
        if left {
            best = better(best, fa);
            (high, b) = (b, a);
            a = high - golden * (high - low);
            fa = fit(a);
            fb = fit(b);
        } else {
            best = better(best, fb);
            (low, a) = (a, b);
            b = low + golden * (high - low);
            fb = fit(b);
            fa = fit(a);
        }
    }
    better(better(best, fa), fb)
}

/// Mean log likelihoods of copulas.
struct Likelihood;

impl Likelihood {
    /// Of the normal copula, the marginals taken out.
    fn normal(scores: &Array2<f64>, factor: &Array2<f64>) -> f64 {
        mean(&log_density(scores, factor, None)) - marginals(scores, None)
    }

    /// Of the t copula with its best scatter matrix.
    fn t(scores: &Array2<f64>, nu: f64) -> Option<T> {
        let values = to_t(scores, nu)?;
        let (n, d) = values.dim();
        let mut scatter = covariance(values.view());
        // The scale of a t vector is not its covariance: start from unit scatter in each coordinate.
        let sizes: Vec<f64> = scatter.diag().iter().map(|variance| variance.sqrt()).collect();
        scatter.indexed_iter_mut().for_each(|((i, j), value)| *value /= sizes[i] * sizes[j]);
        for _ in 0..STEPS {
            let distances = mahalanobis(&values, &cholesky(&scatter, 1e-12)?);
            let mut weighted = values.clone();
            for (mut row, m) in weighted.rows_mut().into_iter().zip(&distances) {
                let weight = (nu + d as f64) / (nu + m);
                row.mapv_inplace(|value| value * weight);
            }
            scatter = weighted.t().dot(&values) / n as f64;
            scatter = 0.5 * (&scatter + &scatter.t());
        }
        // The marginals of a copula are fixed, so its scatter matrix is a correlation matrix.
        let sizes: Vec<f64> = scatter.diag().iter().map(|value| value.sqrt()).collect();
        scatter.indexed_iter_mut().for_each(|((i, j), value)| *value /= sizes[i] * sizes[j]);
        let factor = cholesky(&scatter, 1e-12)?;
        let log_likelihood = mean(&log_density(&values, &factor, Some(nu))) - marginals(&values, Some(nu));
        Some(T { nu, scatter, factor, values, log_likelihood })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean over samples of the log density of the coordinates as if they were independent.
fn marginals(values: &Array2<f64>, nu: Option<f64>) -> f64 {
    let one = Array2::eye(1);
    let columns = values.axis_iter(Axis(1));
    columns.map(|column| mean(&log_density(&column.to_owned().insert_axis(Axis(1)), &one, nu))).sum()
}

/// Log density of a normal or t vector with this scatter at each row.
fn log_density(values: &Array2<f64>, factor: &Array2<f64>, nu: Option<f64>) -> Vec<f64> {
    let of = Density::new(values.ncols(), factor, nu);
    mahalanobis(values, factor).into_iter().map(|distance| of.log(distance)).collect()
}

/// A normal or t density as a function of the squared Mahalanobis distance.
struct Density {
    constant: f64,
    d: f64,
    nu: Option<f64>,
}

impl Density {
    fn new(d: usize, factor: &Array2<f64>, nu: Option<f64>) -> Self {
        let d = d as f64;
        let size = match nu {
            None => 0.5 * d * (2.0 * std::f64::consts::PI).ln(),
            Some(nu) => ln_gamma(0.5 * nu) - ln_gamma(0.5 * (nu + d)) + 0.5 * d * (nu * std::f64::consts::PI).ln(),
        };
        Self { constant: -size - 0.5 * log_determinant(factor), d, nu }
    }

    fn log(&self, distance: f64) -> f64 {
        match self.nu {
            None => self.constant - 0.5 * distance,
            Some(nu) => self.constant - 0.5 * (nu + self.d) * (distance / nu).ln_1p(),
        }
    }
}

/// Entropy of a t vector of unit scatter.
fn t_entropy(d: usize, nu: f64) -> f64 {
    let d = d as f64;
    0.5 * (nu + d) * (digamma(0.5 * (nu + d)) - digamma(0.5 * nu)) + ln_gamma(0.5 * nu) - ln_gamma(0.5 * (nu + d))
        + 0.5 * d * (nu * std::f64::consts::PI).ln()
}

/// Normal scores to scores of a t distribution.
///
/// The quantile function is tabulated in the normal score, where it is smooth, as the inverse hyperbolic sine of its value, whose growth is then at most
/// quadratic; interpolation by cubics on a step of 1/16 is good to 1e-5.
fn to_t(scores: &Array2<f64>, nu: f64) -> Option<Array2<f64>> {
    const PER_UNIT: f64 = 16.0;
    let t = StudentsT::new(0.0, 1.0, nu).ok()?;
    let normal = statrs::distribution::Normal::standard();
    let most = scores.iter().fold(0.0_f64, |most, score| most.max(score.abs()));
    let size = (most * PER_UNIT) as usize + 4;
    // Positive half; the function is odd. The upper tail is the lower one mirrored, where probabilities keep their digits.
    let table: Vec<f64> = (0..size)
        .map(|k| if k == 0 { 0.0 } else { (-t.inverse_cdf(normal.cdf(-(k as f64) / PER_UNIT))).asinh() })
        .collect();
    let at = |k: isize| if k < 0 { -table[k.unsigned_abs()] } else { table[k as usize] };
    Some(scores.mapv(|score| {
        let position = score.abs() * PER_UNIT;
        let k = position as isize;
        let u = position - k as f64;
        let (a, b, c, d) = (at(k - 1), at(k), at(k + 1), at(k + 2));
        // Lagrange's cubic through the four points.
        let value = -a * u * (u - 1.0) * (u - 2.0) / 6.0 + b * (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0
            - c * (u + 1.0) * u * (u - 2.0) / 2.0
            + d * (u + 1.0) * u * (u - 1.0) / 6.0;
        value.sinh().copysign(score)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_one_and_two_degrees_of_freedom_are_their_closed_forms() {
        let normal = statrs::distribution::Normal::standard();
        let scores = Array2::from_shape_fn((60, 1), |(row, _)| -3.6 + 0.12 * row as f64 + 0.013);
        for (nu, exact) in [
            (1.0, (|p: f64| (std::f64::consts::PI * (p - 0.5)).tan()) as fn(f64) -> f64),
            (2.0, |p: f64| (2.0 * p - 1.0) * (2.0 / (4.0 * p * (1.0 - p))).sqrt()),
        ] {
            let found = to_t(&scores, nu).expect("degrees of freedom");
            for (score, found) in scores.iter().zip(&found) {
                let exact = exact(normal.cdf(*score));
                assert!((found - exact).abs() < 1e-4 * (1.0 + exact.abs()), "{nu} {score}: {found} {exact}");
            }
        }
    }

    #[test]
    fn the_entropy_of_a_cauchy_variable_is_log_4_pi() {
        assert!((t_entropy(1, 1.0) - (4.0 * std::f64::consts::PI).ln()).abs() < 1e-9);
    }
}
