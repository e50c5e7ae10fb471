//! Computes a ceiling of `channel`: the information that would pass through the channel if the input were
//! Gaussian with the covariance of the points.
//!
//! # References
//! Cover & Thomas, *Elements of Information Theory*, chapter 9 (Gaussian channel).

use rayon::prelude::*;

use super::points::Points;
use crate::numeric::kernels;

/// Number of columns in a panel of the Cholesky factorisation. Matrix products do the work outside panels.
/// The slower dot products inside panels are a fraction `1.5 * PANEL / size` of the work.
const PANEL: usize = 32;

/// `0.5 logdet(I + Cov / sigma^2)` in nats for each `sigma`.
pub(crate) fn gaussian_nats(points: &Points, sigmas: &[f64]) -> Vec<f64> {
    let shares = points.shares();
    let covariance = Covariance::new(&points.values, &points.transposed, &shares, points.d);
    sigmas.par_iter().map(|sigma| covariance.gaussian_nats(sigma * sigma)).collect()
}

/// The covariance of standardised rows, computed once for every precision.
#[derive(Debug)]
struct Covariance {
    /// `(size, size)`, row-major: the covariance of the coordinates or, if there are fewer rows than
    /// coordinates, the inner products of the weighted rows. Both matrices have the same non-zero eigenvalues
    /// and therefore the same `det(I + s C)`.
    values: Vec<f32>,
    size: usize,
}

impl Covariance {
    /// Takes centred rows and their transpose.
    ///
    /// # Shapes
    /// `values` is `(m, d)`, `transposed` is `(d, m)`, `weights` is `(m)` and sums to 1.
    fn new(values: &[f32], transposed: &[f32], weights: &[f64], d: usize) -> Self {
        let m = weights.len();
        let size = m.min(d);
        let mut product = vec![0.0; size * size];
        if m < d {
            let roots: Vec<f32> = weights.iter().map(|weight| weight.sqrt() as f32).collect();
            kernels::matmul(m, m, d, values, transposed, &mut product);
            for (row, root) in product.chunks_exact_mut(m).zip(&roots) {
                for (value, other) in row.iter_mut().zip(&roots) {
                    *value *= root * other;
                }
            }
        } else {
            let weights: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
            let weighted: Vec<f32> = transposed
                .chunks_exact(m)
                .flat_map(|row| row.iter().zip(&weights).map(|(value, weight)| value * weight))
                .collect();
            kernels::matmul_t(d, d, m, transposed, &weighted, &mut product);
        }
        Self { values: product, size }
    }

    /// `0.5 logdet(I + C / variance)` in nats.
    fn gaussian_nats(&self, variance: f64) -> f64 {
        let mut matrix: Vec<f64> = self.values.iter().map(|&value| f64::from(value) / variance).collect();
        for diagonal in matrix.iter_mut().step_by(self.size + 1) {
            *diagonal += 1.0;
        }
        0.5 * log_determinant(&mut matrix, self.size)
    }
}

/// `logdet(A)` of a symmetric matrix whose eigenvalues are at least 1. Overwrites the lower triangle of `a`
/// with the Cholesky factor.
///
/// The factorisation works on panels of [`PANEL`] columns. For each panel, one matrix product subtracts the
/// contribution of earlier columns; the remaining dot products are at most one panel long. In exact
/// arithmetic every pivot is at least 1, because it is a Schur complement of `I` plus a positive semidefinite
/// matrix. A pivot below 1 is a rounding error and is raised to 1, so the factorisation exists for any rank
/// and any precision.
fn log_determinant(a: &mut [f64], size: usize) -> f64 {
    let mut log_determinant = 0.0;
    let mut update = Vec::new();
    for start in (0..size).step_by(PANEL) {
        let end = size.min(start + PANEL);
        let width = end - start;
        if start > 0 {
            update.resize((size - start) * width, 0.0);
            let below = &a[start * size..];
            kernels::matmul_t_f64((size - start, width, start), size, below, below, &mut update);
            for (row, update) in update.chunks_exact(width).enumerate() {
                let row = &mut a[(start + row) * size + start..][..width];
                for (value, update) in row.iter_mut().zip(update) {
                    *value -= update;
                }
            }
        }
        for i in start..size {
            for j in start..end.min(i + 1) {
                let (before, own) = a.split_at_mut(i * size);
                let own = &mut own[start..=j];
                let last = j - start;
                if i == j {
                    let pivot = (own[last] - kernels::dot_f64(&own[..last], &own[..last])).max(1.0);
                    log_determinant += pivot.ln();
                    own[last] = pivot.sqrt();
                } else {
                    let other = &before[j * size + start..=j * size + j];
                    own[last] = (own[last] - kernels::dot_f64(&own[..last], &other[..last])) / other[last];
                }
            }
        }
    }
    log_determinant
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_determinant_of_i_plus_ones_is_log_of_1_plus_size() {
        // det(I + s 1 1^T) = 1 + s size. The sizes lie below, at and above the panel width.
        for size in [1, 2, 31, 32, 33, 100] {
            let mut matrix = vec![0.5; size * size];
            for diagonal in matrix.iter_mut().step_by(size + 1) {
                *diagonal += 1.0;
            }
            let expected = (1.0 + 0.5 * size as f64).ln();
            assert!((log_determinant(&mut matrix, size) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn coordinates_and_rows_give_the_same_determinant() {
        // `tall` has three rows of two coordinates. `wide` is its transpose, with two rows of three
        // coordinates.
        let tall = [1.0, 0.0, -1.0, 1.0, 0.0, -1.0];
        let wide = [1.0, -1.0, 0.0, 0.0, 1.0, -1.0];
        let weights = [1.0 / 3.0; 3];
        let by_coordinates = Covariance::new(&tall, &wide, &weights, 2);
        // Covariance (2, -1; -1, 2) / 3, so I + 3 C = (3, -1; -1, 3) with determinant 8.
        assert!((by_coordinates.gaussian_nats(1.0 / 3.0) - 0.5 * 8.0_f64.ln()).abs() < 1e-6);
        let by_rows = Covariance::new(&wide, &tall, &[0.5; 2], 3);
        // Inner products (2, -1; -1, 2) / 2, so I + 2 C is the same matrix as above.
        assert!((by_rows.gaussian_nats(0.5) - 0.5 * 8.0_f64.ln()).abs() < 1e-6);
    }
}
