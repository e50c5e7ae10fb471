//! Converts coordinates to normal scores: each value becomes the standard normal quantile of its rank. The
//! scores no longer depend on the marginal distributions, which may have heavy tails.
//!
//! Mutual information does not change under a strictly monotone map of a coordinate, because it depends only
//! on the copula of a distribution.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayViewMut1};
use statrs::distribution::{ContinuousCDF, Normal};

/// The normal scores `Phi^-1((r - 1/2) / n)` of each column, where `r` is the rank from 1. Equal values get
/// their mean rank.
///
/// # Shapes
/// `values` and the result are `(n, d)`.
pub(crate) fn normal_scores(values: &Array2<f64>) -> Array2<f64> {
    let mut scores = values.clone();
    to_normal_scores(&mut scores);
    scores
}

/// Like [`normal_scores`], but overwrites `values`.
pub(crate) fn to_normal_scores(values: &mut Array2<f64>) {
    let quantiles = normal_quantiles(values.nrows());
    for out in values.columns_mut() {
        // Copy the column, because its values are far apart in memory.
        let column = out.to_vec();
        write_scores(out, |a, b| column[a].total_cmp(&column[b]), &quantiles);
    }
}

/// Writes the normal scores of one column. `compare` orders two rows; `quantiles` is the result of
/// [`normal_quantiles`] for the length of the column.
pub(crate) fn write_scores(
    mut out: ArrayViewMut1<'_, f64>,
    compare: impl Fn(usize, usize) -> Ordering,
    quantiles: &[f64],
) {
    let mut order: Vec<usize> = (0..out.len()).collect();
    order.sort_unstable_by(|a, b| compare(*a, *b).then(a.cmp(b)));
    let mut at = 0;
    for tied in order.chunk_by(|a, b| compare(*a, *b).is_eq()) {
        // The mean rank of ties is a multiple of 1/2, and the table has entries for half ranks.
        let score = quantiles[2 * at + tied.len() - 1];
        tied.iter().for_each(|row| out[*row] = score);
        at += tied.len();
    }
}

/// The table `Phi^-1((k + 1) / 2n)` for `k = 0 .. 2n - 2`, which are the ranks from 1 to n in steps of 1/2.
pub(crate) fn normal_quantiles(n: usize) -> Vec<f64> {
    let normal = Normal::standard();
    let size = 2 * n - 1;
    let mut table = vec![0.0; size];
    for k in 0..n - 1 {
        let value = normal.inverse_cdf((k + 1) as f64 / (2 * n) as f64);
        table[k] = value;
        table[size - 1 - k] = -value;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn scores_are_quantiles_of_mean_ranks() {
        let scores = normal_scores(&array![[3.0], [1.0], [7.0], [3.0]]);
        let quantile = |p: f64| Normal::standard().inverse_cdf(p);
        // The ranks of the four values are 2.5, 1, 4 and 2.5.
        for (score, p) in scores.iter().zip([0.5, 0.125, 0.875, 0.5]) {
            assert!((score - quantile(p)).abs() < 1e-12);
        }
    }
}
