//! Cholesky factors of kernel matrices, stored row by row in one slice. The rows of a factor are contiguous,
//! so each element is computed by one dot product of two slices.

/// A dot product in eight lanes. For a few dozen terms, this is faster than a call of a routine that is
/// optimised for long rows.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    let (heads, tails) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = heads.remainder().iter().zip(tails.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in heads.zip(tails) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// A lower triangular factor `L` of `K = L L^T`, row-major `(n, n)`.
pub(super) struct Factor {
    n: usize,
    lower: Vec<f64>,
}

impl Factor {
    /// Factorises a symmetric matrix, given as its lower triangle. `None` if it is not positive definite up
    /// to rounding.
    pub(super) fn new(n: usize, mut matrix: Vec<f64>) -> Option<Self> {
        for i in 0..n {
            for j in 0..=i {
                let (above, row) = matrix.split_at_mut(i * n);
                let along =
                    if j < i { dot(&above[j * n..j * n + j], &row[..j]) } else { dot(&row[..j], &row[..j]) };
                let rest = row[j] - along;
                if j < i {
                    row[j] = rest / above[j * n + j];
                } else if rest > 1e-10 {
                    row[j] = rest.sqrt();
                } else {
                    return None;
                }
            }
        }
        Some(Self { n, lower: matrix })
    }

    /// Solves `K x = b` for `x`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (n, lower) = (self.n, &self.lower);
        let mut x = b.to_vec();
        for i in 0..n {
            let along = dot(&lower[i * n..i * n + i], &x[..i]);
            x[i] = (x[i] - along) / lower[i * n + i];
        }
        for i in (0..n).rev() {
            x[i] /= lower[i * n + i];
            let value = x[i];
            for j in 0..i {
                x[j] -= value * lower[i * n + j];
            }
        }
        x
    }

    /// The logarithm of the determinant of `K`.
    pub(super) fn log_determinant(&self) -> f64 {
        2.0 * (0..self.n).map(|i| self.lower[i * self.n + i].ln()).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_solves_its_matrix_and_has_its_determinant() {
        // Rows of a positive definite matrix; the upper triangle is not read.
        let factor = Factor::new(3, vec![4.0, 9.0, 9.0, 2.0, 5.0, 9.0, 0.6, 1.0, 3.0]).expect("a factor");
        let x = factor.solve(&[1.0, 2.0, 3.0]);
        let back = [
            4.0 * x[0] + 2.0 * x[1] + 0.6 * x[2],
            2.0 * x[0] + 5.0 * x[1] + x[2],
            0.6 * x[0] + x[1] + 3.0 * x[2],
        ];
        assert!(back.iter().zip([1.0, 2.0, 3.0]).all(|(a, b)| (a - b).abs() < 1e-12));
        let determinant: f64 = 4.0 * (15.0 - 1.0) - 2.0 * (6.0 - 0.6) + 0.6 * (2.0 - 3.0);
        assert!((factor.log_determinant() - determinant.ln()).abs() < 1e-12);
        assert!(Factor::new(2, vec![1.0, 0.0, 2.0, 1.0]).is_none());
    }
}
