//! Computes the initial state of a separable critic: canonical correlations of the Hermite polynomials that
//! have the best bound on validation pairs.
//!
//! # References
//! Lancaster 1958 and Breiman & Friedman 1985 (correlations of transformed variables).

use ndarray::{Array2, Axis, concatenate, s};

use super::polynomials::Basis;
use crate::mi::density_ratio::contrast::{COMPARED, contrast};
use crate::numeric::kernels;
use crate::numeric::linear::{canonical, covariance};
use crate::numeric::statistics::mean;

/// Candidate bases of polynomials for the initial state.
const BASES: [Basis; 5] =
    [Basis::Each(1), Basis::Each(3), Basis::Each(6), Basis::Together(2), Basis::Together(3)];
/// Minimum number of rows per polynomial for a basis of single-column polynomials.
const ROWS_EACH: usize = 5;
/// Minimum number of rows per polynomial for a basis of polynomials in several columns.
const ROWS_TOGETHER: usize = 10;
/// Maximum number of variates in the initial state.
const VARIATES: usize = 8;

/// The initial state: leading variates of all rows, and their correlations. Variates and correlations define
/// a bilinear log density ratio that is exact for Gaussian variates.
pub(super) struct CriticInit {
    pub(super) u: Array2<f64>,
    pub(super) v: Array2<f64>,
    /// Correlations of the variates. The first `used` variates contribute to the initial critic; the other
    /// variates are only inputs of the encoder.
    correlations: Vec<f64>,
    pub(super) used: usize,
}

impl CriticInit {
    pub(super) fn new(
        x: &Array2<f64>,
        y: &Array2<f64>,
        train: &[usize],
        validation: &[usize],
    ) -> Option<Self> {
        let mut best: Option<(f64, Self)> = None;
        for basis in BASES {
            let (dx, dy) = (basis.size(x.ncols()), basis.size(y.ncols()));
            let rows = if matches!(basis, Basis::Each(_)) { ROWS_EACH } else { ROWS_TOGETHER };
            if basis != Basis::Each(1) && dx + dy > train.len() / rows {
                continue;
            }
            let (hx, hy) = (basis.of(x.view()), basis.of(y.view()));
            let fitted = concatenate![Axis(1), hx.select(Axis(0), train), hy.select(Axis(0), train)];
            let mut joint = covariance(fitted.view());
            joint.diag_mut().mapv_inplace(|value| value + 1e-3);
            let Some(found) = canonical(&joint, dx, 1e-9) else { continue };
            let k = VARIATES.min(found.correlations.len());
            let (u, v) = (
                hx.dot(&found.x_directions.slice(s![..k, ..]).t()),
                hy.dot(&found.y_directions.slice(s![..k, ..]).t()),
            );
            let correlations: Vec<f64> = found.correlations.iter().take(k).map(|r| r.min(0.99)).collect();
            for used in 0..=k {
                let start = Self { u: u.clone(), v: v.clone(), correlations: correlations.clone(), used };
                let bound = start.bound(validation);
                if best.as_ref().is_none_or(|(most, _)| bound > *most + 0.005) {
                    best = Some((bound, start));
                }
            }
        }
        best.map(|(_, start)| start)
    }

    /// The bound of the initial critic on the first [`COMPARED`] of the given rows.
    fn bound(&self, rows: &[usize]) -> f64 {
        let rows = &rows[..rows.len().min(COMPARED)];
        let scaled = |values: &Array2<f64>| -> Vec<f32> {
            let row = |row: usize| (0..self.used).map(move |k| (self.gain(k) * values[[row, k]]) as f32);
            rows.iter().copied().flat_map(row).collect()
        };
        let n = rows.len();
        let mut scores = vec![0.0; n * n];
        if self.used > 0 {
            kernels::matmul_t(n, n, self.used, &scaled(&self.u), &scaled(&self.v), &mut scores);
        }
        let (a, b) = (self.offsets(&self.u), self.offsets(&self.v));
        for (i, row) in scores.chunks_exact_mut(n).enumerate() {
            for (j, score) in row.iter_mut().enumerate() {
                *score += a[rows[i]] + b[rows[j]];
            }
        }
        mean(&contrast(&scores, n))
    }

    pub(super) fn gain(&self, k: usize) -> f64 {
        let r = self.correlations[k];
        (r / (1.0 - r * r)).sqrt()
    }

    /// `-sum_k r_k^2 u_k^2 / (2 (1 - r_k^2))` for each row: the terms of the Gaussian log density ratio that
    /// depend on one side only.
    pub(super) fn offsets(&self, values: &Array2<f64>) -> Vec<f32> {
        let of_row = |row: ndarray::ArrayView1<'_, f64>| {
            let squares = (0..self.used).map(|k| {
                let r2 = self.correlations[k].powi(2);
                r2 * row[k].powi(2) / (2.0 * (1.0 - r2))
            });
            -squares.sum::<f64>() as f32
        };
        values.rows().into_iter().map(of_row).collect()
    }
}
