//! Sample statistics for several modules: means, standard error, variance, median, slope, correlations,
//! effective sample size, plug-in entropy.
//!
//! # References
//! Kish 1965 (effective sample size). Miller 1955 (bias of the plug-in entropy).

use std::collections::BTreeMap;

/// The mean; NaN if there are no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the mean of the group means, and the number of groups. Groups without values are left out.
pub fn mean_of_means(groups: impl Iterator<Item = Vec<f64>>) -> (Option<f64>, usize) {
    let means: Vec<f64> = groups.filter(|group| !group.is_empty()).map(|group| mean(&group)).collect();
    ((!means.is_empty()).then(|| mean(&means)), means.len())
}

/// The sample variance (divisor `n - 1`); `None` for fewer than two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (values.len() >= 2).then(|| squares / (values.len() - 1) as f64)
}

/// The mean and its standard error, from the sample variance. For a single value, the standard error is given
/// as 0.
pub fn mean_and_stderr(values: &[f64]) -> (f64, f64) {
    (mean(values), (variance(values).unwrap_or(0.0) / values.len() as f64).sqrt())
}

/// The upper median; `None` if there are no values.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    let at = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(at, f64::total_cmp).1)
}

/// The least-squares slope of `y` on `x`; `None` if `x` does not vary.
///
/// # Formula
/// `sum_i (x_i - mean x)(y_i - mean y) / sum_i (x_i - mean x)^2`
pub fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mean_x, mean_y) = (mean(x), mean(y));
    let square: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    let product = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>();
    (square > 0.0).then(|| product / square)
}

/// The weighted mean, `sum w v / sum w`.
pub fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / weights.iter().sum::<f64>()
}

/// Kish's effective sample size over clusters, `(sum w)^2 / sum w^2`: the number of equally weighted clusters
/// with the same variance of the mean.
pub fn effective_n<'a>(rows: impl Iterator<Item = (&'a str, f64)>) -> f64 {
    let mut weights: BTreeMap<&str, f64> = BTreeMap::new();
    rows.for_each(|(cluster, weight)| *weights.entry(cluster).or_default() += weight);
    let sum: f64 = weights.values().sum();
    let squares: f64 = weights.values().map(|weight| weight * weight).sum();
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Keeps the pairs in which both values are finite.
pub fn complete_pairs(a: &[f64], b: &[f64]) -> (Vec<f64>, Vec<f64>) {
    a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).unzip()
}

/// The covariance (divisor `n`) over the pairs in which both values are finite.
pub fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = complete_pairs(a, b);
    let n = a.len().max(1) as f64;
    cross_product(&a, &b, n) / n
}

/// Pearson's correlation; 0 if `a` or `b` does not vary.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let scale = (cross_product(a, a, n) * cross_product(b, b, n)).sqrt();
    if scale > 0.0 { cross_product(a, b, n) / scale } else { 0.0 }
}

/// Spearman's rank correlation, with mean ranks for ties; 0 if `a` or `b` does not vary.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    pearson(&mid_ranks(a), &mid_ranks(b))
}

/// The sum of cross products, `sum (a - mean a) (b - mean b)`.
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

/// Plug-in entropy in nats of values with these counts, including the Miller-Madow term.
///
/// # Formula
/// `-sum_k p_k log p_k + (K - 1) / 2n`, where `p_k = counts_k / n` and `K` is the number of values that
/// occur.
pub fn entropy_nats(counts: impl Iterator<Item = u64>) -> f64 {
    let (mut n, mut k, mut weighted) = (0.0, 0.0, 0.0);
    for count in counts.filter(|&count| count > 0).map(|count| count as f64) {
        n += count;
        k += 1.0;
        weighted += count * count.ln();
    }
    if n > 0.0 {
        // A single value has entropy 0, but rounding can make it slightly negative.
        (n.ln() - weighted / n).max(0.0) + (k - 1.0) / (2.0 * n)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_two_equal_values_is_log_2_and_the_miller_madow_term() {
        let entropy = entropy_nats([5, 0, 5].into_iter());
        assert!((entropy - (2.0_f64.ln() + 1.0 / 20.0)).abs() < 1e-12);
        assert_eq!(entropy_nats([7].into_iter()), 0.0);
    }

    #[test]
    fn mean_standard_error_and_slope_are_those_one_can_compute_by_hand() {
        // The values 1, 2, 6 have mean 3, variance (4 + 1 + 9) / 2 = 7 and standard error sqrt(7 / 3).
        let (mean, stderr) = mean_and_stderr(&[1.0, 2.0, 6.0]);
        assert!((mean - 3.0).abs() < 1e-12 && (stderr - (7.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(slope(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0]), Some(2.0));
        assert_eq!((slope(&[0.0], &[1.0]), slope(&[2.0, 2.0], &[1.0, 3.0])), (None, None));
        assert_eq!((variance(&[1.0, 2.0, 6.0]), variance(&[1.0])), (Some(7.0), None));
        assert_eq!(mean_and_stderr(&[3.0]), (3.0, 0.0));
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn rank_correlation_agrees_with_hand_values() {
        // The correlation of ranks 1 2 3 4 and 2 1 4 3 is 1 - 6 * 4 / (4 * 15) = .6. Ties get their mean
        // rank.
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
