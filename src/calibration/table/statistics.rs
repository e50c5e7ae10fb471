//! Means, correlations and effective sample sizes that several parts of the calibration use.

use std::collections::BTreeMap;

/// `sum w v / sum w`
pub(crate) fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / weights.iter().sum::<f64>()
}

/// Kish's effective sample size `(sum w)^2 / sum w^2` over clusters: the number of clusters of equal weight
/// that carry as much information as these.
pub(crate) fn effective_n<'a>(rows: impl Iterator<Item = (&'a str, f64)>) -> f64 {
    let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
    rows.for_each(|(cluster, weight)| *weights.entry(cluster).or_default() += weight);
    let sum: f64 = weights.values().sum();
    let squares: f64 = weights.values().map(|weight| weight * weight).sum();
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// The pairs of which both values are finite.
pub(crate) fn complete_pairs(a: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>) {
    a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).unzip()
}

/// Covariance over the pairs of which both values are finite, with `n` in the denominator.
pub(crate) fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = complete_pairs(a, b);
    let n = a.len().max(1) as f64;
    cross_product(&a, &b, n) / n
}

/// Pearson's correlation; 0 where one of the two does not vary.
pub(crate) fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let scale = (cross_product(a, a, n) * cross_product(b, b, n)).sqrt();
    if scale > 0.0 { cross_product(a, b, n) / scale } else { 0.0 }
}

/// Spearman's rank correlation, with mid-ranks for ties; 0 where one of the two does not vary.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> f64 {
    pearson(&mid_ranks(a), &mid_ranks(b))
}

/// `sum (a - mean a) (b - mean b)`
fn cross_product(a: &[f64], b: &[f64], n: f64) -> f64 {
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum()
}

fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        for at in tied {
            ranks[*at] = first as f64 + (tied.len() as f64 - 1.0) / 2.0;
        }
        first += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_agrees_with_hand_values() {
        // Ranks 1 2 3 4 against 2 1 4 3: 1 - 6 * 4 / (4 * 15) = .6; ties take the mean of their ranks.
        assert!((spearman(&[1.0, 2.0, 3.0, 4.0], &[0.2, 0.1, 9.0, 7.0]) - 0.6).abs() < 1e-12);
        assert_eq!(mid_ranks(&[5.0, 1.0, 5.0]), [1.5, 0.0, 1.5]);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn equal_weights_count_each_cluster_once() {
        let of = |rows: &[(&'static str, f64)]| effective_n(rows.iter().copied());
        assert_eq!(of(&[("a", 1.0), ("b", 1.0), ("b", 0.0)]), 2.0);
        // (3 + 1)^2 / (9 + 1) = 1.6
        assert_eq!(of(&[("a", 1.0), ("a", 2.0), ("b", 1.0)]), 1.6);
    }

    #[test]
    fn pairs_with_a_missing_value_are_left_out() {
        assert_eq!(covariance(&[1.0, f64::NAN, 3.0], &[2.0, 9.0, 6.0]), 2.0);
    }
}
