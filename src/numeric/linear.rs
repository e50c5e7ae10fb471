//! Linear algebra of covariances in `f64`: Cholesky factorisation, canonical correlations, and Gaussian
//! mutual information with its exact bias.
//!
//! # References
//! Hotelling 1936 (canonical correlations); Anderson, *An Introduction to Multivariate Statistical Analysis*,
//! chapter 7 (`E log det` of a Wishart matrix).

use linfa_linalg::svd::SVD;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use statrs::function::gamma::digamma;

use super::kernels::dot_f64;

/// A pivot below this, relative to a column variance of 1, counts as 0. The rounding error is about 1e-14 for
/// `f32` input.
pub(crate) const SINGULAR: f64 = 1e-10;

/// Number of columns or rows to process at a time, so that temporary arrays are smaller than the samples.
pub(crate) const BLOCK: usize = 256;

/// The covariance `(1/n) Z^T Z` of centred rows `(n, d)`.
pub(crate) fn covariance(z: ArrayView2<'_, f64>) -> Array2<f64> {
    scatter(z, None)
}

/// The weighted scatter matrix `(1/n) Z^T W Z`, where `W` is a diagonal of weights. The result is exactly
/// symmetric.
pub(crate) fn scatter(z: ArrayView2<'_, f64>, weights: Option<&[f64]>) -> Array2<f64> {
    let (n, d) = z.dim();
    let from: Vec<usize> = (0..d).step_by(BLOCK).collect();
    let blocks = from.par_iter().map(|&from| {
        let left = z.slice(s![.., from..d.min(from + BLOCK)]);
        let right = z.slice(s![.., from..]);
        let Some(weights) = weights else { return left.t().dot(&right) };
        let mut left = left.to_owned();
        for (mut row, weight) in left.rows_mut().into_iter().zip(weights) {
            row.mapv_inplace(|value| value * weight);
        }
        left.t().dot(&right)
    });
    let mut whole = Array2::zeros((d, d));
    for (from, block) in from.iter().zip(blocks.collect::<Vec<_>>()) {
        for ((i, j), value) in block.indexed_iter() {
            let (i, j) = (from + i, from + j);
            // Rounding can make the entries (i, j) and (j, i) of a block differ, so average both.
            let mirrored = block.get((j - from, i - from)).unwrap_or(value);
            let value = 0.5 * (value + mirrored) / n as f64;
            (whole[[i, j]], whole[[j, i]]) = (value, value);
        }
    }
    whole
}

/// The lower Cholesky factor; `None` if a pivot is not above `least`.
pub(crate) fn cholesky(a: &Array2<f64>, least: f64) -> Option<Array2<f64>> {
    let mut factor = Array2::zeros(a.raw_dim());
    independent(a, least, &mut factor).iter().all(|kept| *kept).then_some(factor)
}

/// For each column of a correlation matrix, whether it is linearly independent of the earlier columns.
pub(crate) fn independent_columns(a: &Array2<f64>) -> Vec<bool> {
    independent(a, SINGULAR, &mut Array2::zeros(a.raw_dim()))
}

/// Computes the Cholesky factor and returns which columns are independent. The computation goes row by row,
/// so that both operands of a dot product are contiguous. The row of a dependent column is set to zero, so
/// that this row has no effect on later rows.
fn independent(a: &Array2<f64>, least: f64, factor: &mut Array2<f64>) -> Vec<bool> {
    let d = a.nrows();
    let mut kept = vec![true; d];
    let l = factor.as_slice_mut().unwrap_or_default();
    for i in 0..d {
        for j in 0..=i {
            let (before, own) = l.split_at_mut(i * d);
            if i == j {
                let pivot = a[[i, i]] - dot_f64(&own[..i], &own[..i]);
                kept[i] = pivot > least;
                if kept[i] {
                    own[i] = pivot.sqrt();
                } else {
                    own[..d].fill(0.0);
                }
            } else if kept[j] {
                let other = &before[j * d..][..=j];
                own[j] = (a[[i, j]] - dot_f64(&own[..j], &other[..j])) / other[j];
            }
        }
    }
    kept
}

/// The log determinant of a matrix from its Cholesky factor: `2 sum_i log L_ii`.
pub(crate) fn log_determinant(factor: &Array2<f64>) -> f64 {
    2.0 * factor.diag().iter().map(|pivot| pivot.ln()).sum::<f64>()
}

/// The inverse of a lower triangular matrix.
pub(crate) fn invert_lower(factor: &Array2<f64>) -> Array2<f64> {
    let d = factor.nrows();
    // Store column j of the inverse as row j of the transpose, so that dot products run over contiguous
    // values.
    let mut transposed = vec![0.0; d * d];
    for j in 0..d {
        let column = &mut transposed[j * d..][..d];
        column[j] = factor[[j, j]].recip();
        for i in j + 1..d {
            let row = factor.row(i);
            let row = row.as_slice().unwrap_or_default();
            column[i] = -dot_f64(&row[j..i], &column[j..i]) / row[i];
        }
    }
    Array2::from_shape_fn((d, d), |(i, j)| transposed[j * d + i])
}

/// The squared Mahalanobis distance `|L^-1 v|^2` of each row `v`.
pub(crate) fn mahalanobis(values: ArrayView2<'_, f64>, factor: &Array2<f64>) -> Vec<f64> {
    let inverse = invert_lower(factor);
    let blocks: Vec<_> = values.axis_chunks_iter(Axis(0), BLOCK).collect();
    let of_rows = blocks.par_iter().map(|rows| {
        let white = rows.dot(&inverse.t());
        white.rows().into_iter().map(|row| row.dot(&row)).collect::<Vec<f64>>()
    });
    of_rows.collect::<Vec<_>>().concat()
}

/// Canonical correlations of two blocks, and their directions.
#[derive(Debug, Clone)]
pub(crate) struct Canonical {
    /// Canonical correlations in decreasing order, each in [0, 1].
    pub(crate) correlations: Array1<f64>,
    /// `(r, d_x)`: the canonical variates of x are `x . x_directions^T`, with unit variance.
    pub(crate) x_directions: Array2<f64>,
    /// `(r, d_y)`: the canonical variates of y are `y . y_directions^T`, with unit variance.
    pub(crate) y_directions: Array2<f64>,
}

/// Canonical correlations between the first `dx` coordinates and the remaining coordinates. `None` if the
/// covariance of a block is singular.
///
/// # Shapes
/// `joint` is `(d_x + d_y, d_x + d_y)`.
pub(crate) fn canonical(joint: &Array2<f64>, dx: usize, least: f64) -> Option<Canonical> {
    let (x, y, cross) = whitened(joint, dx, least)?;
    let (left, correlations, right) = cross.svd(true, true).ok()?;
    let (left, right) = (left?, right?);
    let mut order: Vec<usize> = (0..correlations.len()).collect();
    order.sort_by(|a, b| correlations[*b].total_cmp(&correlations[*a]));
    let pick = |rows: &Array2<f64>| rows.select(Axis(0), &order);
    Some(Canonical {
        correlations: order.iter().map(|k| correlations[*k].clamp(0.0, 1.0)).collect(),
        x_directions: pick(&left.t().to_owned()).dot(&x),
        y_directions: pick(&right).dot(&y),
    })
}

/// The two maps that whiten the blocks, and the cross covariance of the whitened blocks, whose singular
/// values are the canonical correlations.
fn whitened(joint: &Array2<f64>, dx: usize, least: f64) -> Option<(Array2<f64>, Array2<f64>, Array2<f64>)> {
    let x = invert_lower(&cholesky(&joint.slice(s![..dx, ..dx]).to_owned(), least)?);
    let y = invert_lower(&cholesky(&joint.slice(s![dx.., dx..]).to_owned(), least)?);
    let cross = x.dot(&joint.slice(s![..dx, dx..])).dot(&y.t());
    Some((x, y, cross))
}

/// The sum of the squared canonical correlations.
pub(crate) fn squared_correlations(joint: &Array2<f64>, dx: usize) -> Option<f64> {
    whitened(joint, dx, 0.0).map(|(_, _, cross)| cross.iter().map(|value| value * value).sum())
}

/// The bias in nats of Gaussian mutual information that is computed from a sample covariance. The formula is
/// exact for normal samples with any dependence between the two blocks.
///
/// # Formula
/// `0.5 ( sum_{j=1}^{d_x} + sum_{j=1}^{d_y} - sum_{j=1}^{d_x+d_y} ) psi((n - j) / 2)`
pub(crate) fn wishart_bias_nats(n: usize, dx: usize, dy: usize) -> f64 {
    let sum = |d: usize| (1..=d).map(|j| digamma((n as f64 - j as f64) / 2.0)).sum::<f64>();
    0.5 * (sum(dx) + sum(dy) - sum(dx + dy))
}

/// Gaussian mutual information in nats, `0.5 (logdet S_x + logdet S_y - logdet S)`. `None` if the joint
/// covariance is singular.
pub(crate) fn gaussian_nats(joint: &Array2<f64>, dx: usize) -> Option<f64> {
    let whole = cholesky(joint, SINGULAR * 1e-2)?;
    // The Cholesky factor of the first block is the first block of the joint factor.
    let x = log_determinant(&whole.slice(s![..dx, ..dx]).to_owned());
    let y = log_determinant(&cholesky(&joint.slice(s![dx.., dx..]).to_owned(), SINGULAR * 1e-2)?);
    Some(0.5 * (x + y - log_determinant(&whole)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn factor_and_inverse_are_those_one_can_compute_by_hand() {
        let a = array![[4.0, 2.0], [2.0, 5.0]];
        let l = cholesky(&a, 0.0).expect("positive");
        assert_eq!(l, array![[2.0, 0.0], [1.0, 2.0]]);
        assert_eq!(invert_lower(&l), array![[0.5, 0.0], [-0.25, 0.5]]);
        assert!((log_determinant(&l) - 16.0_f64.ln()).abs() < 1e-15);
        assert!(cholesky(&array![[1.0, 1.0], [1.0, 1.0]], SINGULAR).is_none());
    }

    #[test]
    fn a_column_that_is_a_sum_of_others_is_dependent_and_the_next_is_not() {
        // Coordinates a, b, (a + b) / sqrt 2 and c, where a, b and c are independent.
        let h = 0.5_f64.sqrt();
        let a = array![[1.0, 0.0, h, 0.0], [0.0, 1.0, h, 0.0], [h, h, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
        assert_eq!(independent_columns(&a), [true, true, false, true]);
    }

    #[test]
    fn canonical_correlations_are_those_that_were_put_in_whatever_the_coordinates() {
        let mut joint = Array2::eye(5);
        joint[[0, 3]] = 0.9;
        joint[[3, 0]] = 0.9;
        joint[[1, 4]] = -0.4;
        joint[[4, 1]] = -0.4;
        let mut mix = Array2::eye(5);
        mix.slice_mut(s![..3, ..3]).assign(&array![[1.0, 0.3, 0.0], [0.5, 2.0, 0.1], [0.0, 0.7, 1.0]]);
        mix.slice_mut(s![3.., 3..]).assign(&array![[1.0, 0.8], [-0.2, 1.0]]);
        let mixed = mix.dot(&joint).dot(&mix.t());
        let found = canonical(&mixed, 3, 0.0).expect("regular");
        assert!((found.correlations[0] - 0.9).abs() < 1e-12 && (found.correlations[1] - 0.4).abs() < 1e-12);
        let exact = -0.5 * ((1.0 - 0.81_f64).ln() + (1.0 - 0.16_f64).ln());
        assert!((gaussian_nats(&mixed, 3).expect("regular") - exact).abs() < 1e-12);
        // The cross covariance of the variates is diagonal and contains the correlations.
        let cross = found.x_directions.dot(&mixed.slice(s![..3, 3..])).dot(&found.y_directions.t());
        assert!((cross[[0, 0]] - 0.9).abs() < 1e-12 && cross[[0, 1]].abs() < 1e-12, "{cross}");
    }

    #[test]
    fn the_bias_of_one_and_one_dimension_is_half_over_n() {
        // psi((n-1)/2) - psi((n-2)/2) is 1/n to first order.
        assert!((wishart_bias_nats(1000, 1, 1) - 0.5 / 1000.0).abs() < 2e-6);
    }
}
