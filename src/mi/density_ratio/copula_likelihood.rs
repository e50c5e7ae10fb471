//! Fits normal and t copulas by maximum likelihood. Fixed-point steps find the scatter matrix; a grid and
//! golden-section search find the degrees of freedom.
//!
//! # References
//! Demarta & McNeil 2005 (t copula); Kent & Tyler 1991 (fixed-point steps).

use ndarray::Array2;
use rayon::prelude::*;

use super::t_density::{log_density, marginals, to_t};
use crate::numeric::linear::{cholesky, covariance, mahalanobis, scatter as weighted_scatter};
use crate::numeric::statistics::mean;

/// Grid of degrees of freedom `nu`.
const GRID: [f64; 6] = [1.0, 2.0, 4.0, 8.0, 16.0, 40.0];
/// Number of golden-section steps on the logarithm of `nu`, between the two neighbours of the best grid
/// point.
const SECTIONS: usize = 6;
/// Samples with more values than this are fitted one grid point at a time, to save memory.
const LARGE: usize = 4_000_000;
/// Number of fixed-point steps for the scatter matrix.
const STEPS: usize = 8;

/// A fitted t copula.
#[derive(Clone)]
pub(crate) struct FittedT {
    pub(crate) nu: f64,
    pub(crate) scatter: Array2<f64>,
    pub(crate) log_likelihood: f64,
}

/// Finds the best grid point and refines it by golden-section search between its neighbours.
pub(crate) fn best_t(scores: &Array2<f64>) -> Option<FittedT> {
    let better = |a: Option<FittedT>, b: Option<FittedT>| match (a, b) {
        (Some(a), Some(b)) => Some(if b.log_likelihood > a.log_likelihood { b } else { a }),
        (a, b) => a.or(b),
    };
    // For a large sample, fit one grid point at a time, because each fit copies the sample. The matrix
    // products then use all threads.
    let at_a_time = if scores.len() > LARGE { GRID.len() } else { 1 };
    let grid = GRID.par_iter().with_min_len(at_a_time).map(|nu| FittedT::fit(scores, *nu));
    let grid: Vec<Option<FittedT>> = grid.collect();
    let value = |t: &Option<FittedT>| t.as_ref().map_or(f64::NEG_INFINITY, |t| t.log_likelihood);
    let at = (0..GRID.len()).max_by(|a, b| value(&grid[*a]).total_cmp(&value(&grid[*b])))?;
    if at == GRID.len() - 1 {
        return grid.into_iter().nth(at)?;
    }
    let (mut low, mut high) = (GRID[at.saturating_sub(1)].ln(), GRID[at + 1].ln());
    let mut best = grid.into_iter().nth(at)?;
    let golden = 0.5 * (5.0_f64.sqrt() - 1.0);
    let fit = |log_nu: f64| FittedT::fit(scores, log_nu.exp());
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut fa, mut fb) = (fit(a), fit(b));
    for _ in 0..SECTIONS {
        let left = value(&fa) > value(&fb);
        if left {
            best = better(best, fa.clone());
            (high, b, fb) = (b, a, fa);
            a = high - golden * (high - low);
            fa = fit(a);
        } else {
            best = better(best, fb.clone());
            (low, a, fa) = (a, b, fb);
            b = low + golden * (high - low);
            fb = fit(b);
        }
    }
    better(better(best, fa), fb)
}

/// Mean log likelihood of the normal copula: the joint density without its marginals.
pub(crate) fn normal_log_likelihood(scores: &Array2<f64>, factor: &Array2<f64>) -> f64 {
    mean(&log_density(scores.view(), factor, None)) - marginals(scores, None)
}

impl FittedT {
    /// Fits the t copula of `nu` degrees of freedom. `None` if the scatter matrix is singular.
    fn fit(scores: &Array2<f64>, nu: f64) -> Option<Self> {
        let values = to_t(scores, nu)?;
        let d = values.ncols();
        let mut scatter = covariance(values.view());
        // The scatter matrix of a t vector differs from its covariance, so rescale the initial matrix to unit
        // scatter in each coordinate.
        let sizes: Vec<f64> = scatter.diag().iter().map(|variance| variance.sqrt()).collect();
        scatter.indexed_iter_mut().for_each(|((i, j), value)| *value /= sizes[i] * sizes[j]);
        for _ in 0..STEPS {
            let distances = mahalanobis(values.view(), &cholesky(&scatter, 1e-12)?);
            let weights: Vec<f64> = distances.iter().map(|m| (nu + d as f64) / (nu + m)).collect();
            scatter = weighted_scatter(values.view(), Some(&weights));
        }
        // The marginals of a copula are fixed, so the scatter matrix must be a correlation matrix.
        let sizes: Vec<f64> = scatter.diag().iter().map(|value| value.sqrt()).collect();
        scatter.indexed_iter_mut().for_each(|((i, j), value)| *value /= sizes[i] * sizes[j]);
        let factor = cholesky(&scatter, 1e-12)?;
        let log_likelihood =
            mean(&log_density(values.view(), &factor, Some(nu))) - marginals(&values, Some(nu));
        Some(Self { nu, scatter, log_likelihood })
    }
}
