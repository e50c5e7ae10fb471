//! The elastic net (Zou and Hastie 2005) on standardised features, by linfa's coordinate descent. linfa does
//! not centre the data, so this module does. The penalty is chosen by leaving out families inside the
//! training set. For a target with bounds, the likelihood is approximated to second order at the ridge
//! solution (one step, after Zou and Li 2008).

use std::sync::Arc;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_linalg::cholesky::CholeskyInplace;
use linfa_linalg::qr::QRInto;
use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::{PRIOR, fractional_logistic, working_response};
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::folds::{Fold, by_cluster};
use crate::error::{Error, Result};
use crate::numeric::statistics::weighted_mean;

/// Penalties to try, as shares of the smallest penalty for which every slope is 0.
const SHARES: [f64; 4] = [0.3, 0.1, 0.03, 0.01];
const L1_RATIO: f64 = 0.5;
/// Duality gap, relative to the squared norm of the response, at which the descent stops while penalties are
/// compared. Smaller gaps would cost thousands of sweeps for nearly identical columns and change no
/// prediction.
const SEARCH_TOLERANCE: f64 = 1e-5;
/// Duality gap at which the final fit stops.
const TOLERANCE: f64 = 1e-10;
const MOST_SWEEPS: u32 = 10_000;
const INNER_FOLDS: usize = 3;
const LEAST_ROWS: usize = 8;

/// Elastic net with half of its penalty on the absolute slopes.
#[derive(Debug)]
pub(super) struct ElasticNet;

impl Candidate for ElasticNet {
    fn name(&self) -> &'static str {
        "elastic_net"
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        70
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        Self::of(train, None)
    }

    fn fit_part(&self, train: &TrainingSet, whole: &dyn FittedModel) -> Result<Option<Arc<dyn FittedModel>>> {
        let whole = (whole as &dyn std::any::Any).downcast_ref::<LinearModel>();
        Self::of(train, whole.map(|whole| whole.penalty))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

impl ElasticNet {
    /// The elastic net with the penalty `given`, or with the penalty of smallest error on left-out families.
    fn of(train: &TrainingSet, given: Option<f64>) -> Result<Option<Arc<dyn FittedModel>>> {
        let n = train.sample.len();
        let folds = by_cluster(train.sample, INNER_FOLDS);
        // With more columns than rows, ridge regression is equally accurate and far faster, so the elastic
        // net is not fitted.
        if n < LEAST_ROWS.max(train.x.ncols() + 2) || train.x.ncols() == 0 || folds.len() < 2 {
            return Ok(None);
        }
        let z = train.standardised();
        let (eta, weights) = match train.shares() {
            Some(shares) => {
                let at = fractional_logistic(&z, &shares, &train.sample.weights, PRIOR)?;
                working_response(&z, &shares, &train.sample.weights, &at)
            }
            None => (train.eta.clone(), train.sample.weights.clone()),
        };
        let all: Vec<usize> = (0..n).collect();
        let most = largest_penalty(&z, &eta, &weights);
        if most <= 0.0 {
            return Ok(None);
        }
        let penalty = match given {
            Some(penalty) => penalty,
            None => most * choose(&z, &eta, &weights, most, &folds)?,
        };
        let line = Problem::new(&z, &eta, &weights, &all)?.solve(penalty, L1_RATIO, TOLERANCE)?;
        let active = line[1..].iter().filter(|slope| **slope != 0.0).count();
        Ok(Some(Arc::new(LinearModel {
            penalty,
            degrees_of_freedom: DegreesOfFreedom::Parameters(1 + active),
            ..LinearModel::on_scaled_features(train, line[0], &line[1..], &train.basis.sd)
        })))
    }
}

/// The entry of [`SHARES`] whose penalty has the smallest error over the folds.
fn choose(z: &Array2<f64>, eta: &Array1<f64>, weights: &[f64], most: f64, folds: &[Fold]) -> Result<f64> {
    let mut losses = [0.0; SHARES.len()];
    for fold in folds {
        let problem = Problem::new(z, eta, weights, &fold.train)?;
        for (share, loss) in SHARES.iter().zip(&mut losses) {
            let line = problem.solve(share * most, L1_RATIO, SEARCH_TOLERANCE)?;
            for &i in &fold.test {
                let along: f64 = z.row(i).iter().zip(&line[1..]).map(|(z, s)| z * s).sum();
                *loss += weights[i] * (eta[i] - line[0] - along).powi(2);
            }
        }
    }
    let best = (0..SHARES.len()).fold(0, |best, at| if losses[at] < losses[best] { at } else { best });
    Ok(SHARES[best])
}

/// The smallest penalty for which every slope is 0: `max_j |z_j . eta| / (n l1_ratio)`.
fn largest_penalty(z: &Array2<f64>, eta: &Array1<f64>, weights: &[f64]) -> f64 {
    let middle = weighted_mean(&eta.to_vec(), weights);
    let total: f64 = weights.iter().sum();
    let along = |column: ArrayView1<f64>| {
        column.iter().zip(eta).zip(weights).map(|((z, eta), w)| w * z * (eta - middle)).sum::<f64>().abs()
    };
    z.axis_iter(Axis(1)).map(along).fold(0.0, f64::max) / (total * L1_RATIO)
}

/// The elastic net problem for some rows. It minimises the loss
/// `sum_i w_i (eta_i - a - b z_i)^2 / (2 sum w) + penalty (l1_ratio |b|_1 + (1 - l1_ratio) |b|^2 / 2)`.
///
/// The sum of squares of `eta - Z b` equals the sum of squares of `R (b, -1)`, where `R` is the triangular
/// factor of `[Z eta]`. The `n` rows are thus reduced to `p + 1` rows, which makes each sweep faster.
#[derive(Debug)]
pub(super) struct Problem {
    design: Array2<f64>,
    answer: Array1<f64>,
    centre: Vec<f64>,
    middle: f64,
}

/// `R` with `R^T R = A^T A`: by Cholesky, which is much faster, or by QR if the columns are linearly
/// dependent up to rounding.
fn triangle(a: Array2<f64>) -> Result<Array2<f64>> {
    if let Ok(lower) = a.t().dot(&a).cholesky_into() {
        return Ok(lower.reversed_axes().as_standard_layout().to_owned());
    }
    let factors = a
        .qr_into()
        .map_err(|source| Error::Calibration { reason: format!("cannot fit the elastic net: {source}") })?;
    Ok(factors.into_r())
}

impl Problem {
    /// # Errors
    /// [`Error::Calibration`] if linfa cannot factorise the rows.
    pub(super) fn new(z: &Array2<f64>, eta: &Array1<f64>, weights: &[f64], rows: &[usize]) -> Result<Self> {
        let (n, p) = (rows.len(), z.ncols());
        let weights: Vec<f64> = rows.iter().map(|&i| weights[i]).collect();
        let total: f64 = weights.iter().sum();
        let answer = eta.select(Axis(0), rows);
        let middle = weighted_mean(&answer.to_vec(), &weights);
        let design = z.select(Axis(0), rows);
        let mean = |column: ArrayView1<f64>| weighted_mean(&column.to_vec(), &weights);
        let centre: Vec<f64> = design.axis_iter(Axis(1)).map(mean).collect();
        // linfa divides its objective by the number of rows that it gets: `p + 1` after the reduction,
        // otherwise `n`.
        let scale = (p + 1).min(n) as f64 / total;
        let whole = Array2::from_shape_fn((n, p + 1), |(i, j)| {
            let value = if j < p { design[[i, j]] - centre[j] } else { answer[i] - middle };
            (weights[i] * scale).sqrt() * value
        });
        let whole = if n > p + 1 { triangle(whole)? } else { whole };
        let (design, answer) = (whole.slice(s![.., ..p]).to_owned(), whole.column(p).to_owned());
        Ok(Self { design, answer, centre, middle })
    }

    /// The solution by linfa: the constant `a`, then the slopes `b`.
    ///
    /// # Errors
    /// [`Error::Calibration`] if linfa rejects the arguments.
    pub(super) fn solve(&self, penalty: f64, l1_ratio: f64, tolerance: f64) -> Result<Vec<f64>> {
        let fitted = linfa_elasticnet::ElasticNet::params()
            .penalty(penalty)
            .l1_ratio(l1_ratio)
            .with_intercept(false)
            .tolerance(tolerance)
            .max_iterations(MOST_SWEEPS)
            .fit(&DatasetBase::new(self.design.view(), self.answer.view()))
            .map_err(|source| Error::Calibration {
                reason: format!("cannot fit the elastic net: {source}"),
            })?;
        let slopes = fitted.hyperplane();
        let intercept = self.middle - slopes.iter().zip(&self.centre).map(|(s, c)| s * c).sum::<f64>();
        Ok(std::iter::once(intercept).chain(slopes.iter().copied()).collect())
    }
}
