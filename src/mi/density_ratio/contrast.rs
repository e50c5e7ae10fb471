//! Computes the InfoNCE bound in both directions. It is the common score of all density ratio models.
//!
//! ```text
//! mean_i [ T_ii - 0.5 log mean_j exp T_ij - 0.5 log mean_j exp T_ji ]
//! ```
//!
//! # References
//! van den Oord et al. 2018; Poole et al. 2019.

use crate::numeric::kernels;
use crate::numeric::kernels::exp;

/// Maximum number of pairs in one contrastive comparison.
pub(crate) const COMPARED: usize = 1000;

/// The term of each row in the bound. `scores` is `(n, n)`, row-major, and contains `T` of every `x` with
/// every `y`.
pub(crate) fn contrast(scores: &[f32], n: usize) -> Vec<f64> {
    let own: Vec<f64> = (0..n).map(|i| f64::from(scores[i * n + i])).collect();
    let transposed = kernels::transpose(n, n, scores);
    let rows = scores.chunks_exact(n).map(log_mean_exp);
    let columns = transposed.chunks_exact(n).map(log_mean_exp);
    own.iter().zip(rows.zip(columns)).map(|(own, (row, column))| own - 0.5 * (row + column)).collect()
}

/// The mean log normaliser of the density ratios over unpaired rows; near 0 for the true density ratio.
/// Values below -1 count as -1, so a row without close neighbours has little influence.
pub(crate) fn normaliser_nats(scores: Vec<f32>, n: usize) -> f64 {
    log_normalisers(scores, n).iter().map(|value| value.max(-1.0)).sum::<f64>() / n as f64
}

/// For each row, the average of `log mean_j exp T_ij` and `log mean_j exp T_ji` over the other rows. If `T`
/// is the true log density ratio, the average is near 0, or below 0 by chance.
pub(crate) fn log_normalisers(mut scores: Vec<f32>, n: usize) -> Vec<f64> {
    scores.iter_mut().step_by(n + 1).for_each(|own| *own = f32::NEG_INFINITY);
    let transposed = kernels::transpose(n, n, &scores);
    let others = (n as f64 / (n as f64 - 1.0)).ln();
    let (rows, columns) =
        (scores.chunks_exact(n).map(log_mean_exp), transposed.chunks_exact(n).map(log_mean_exp));
    rows.zip(columns).map(|(row, column)| 0.5 * (row + column) + others).collect()
}

fn log_mean_exp(row: &[f32]) -> f64 {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    f64::from(most) + (f64::from(pulp::Arch::new().dispatch(ExpSum { row, most })) / row.len() as f64).ln()
}

struct ExpSum<'a> {
    row: &'a [f32],
    most: f32,
}

impl pulp::NullaryFnOnce for ExpSum<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        let (chunks, rest) = self.row.as_chunks::<16>();
        let mut sums = [0.0_f32; 16];
        for chunk in chunks {
            for lane in 0..16 {
                sums[lane] += exp(chunk[lane] - self.most);
            }
        }
        sums.iter().sum::<f32>() + rest.iter().map(|value| exp(value - self.most)).sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contrast_is_that_of_the_definition() {
        let n = 3;
        let scores: Vec<f32> = (0..n * n).map(|k| (k as f32 * 1.7).sin()).collect();
        let t = |i: usize, j: usize| f64::from(scores[i * n + j]);
        let mean = |of: &dyn Fn(usize) -> f64| ((0..n).map(|j| of(j).exp()).sum::<f64>() / n as f64).ln();
        let term = |i: usize| t(i, i) - 0.5 * mean(&|j| t(i, j)) - 0.5 * mean(&|j| t(j, i));
        let exact = (0..n).map(term).sum::<f64>() / n as f64;
        assert!((contrast(&scores, n).iter().sum::<f64>() / n as f64 - exact).abs() < 1e-6);
    }
}
