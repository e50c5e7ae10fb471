//! Statistics of samples that several modules share: mean, standard error, median, slope, plug-in entropy.
//!
//! # References
//! Miller 1955 (bias of the plug-in entropy).

/// The mean; NaN of no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean and its standard error, from the sample variance (divisor `n - 1`).
pub fn mean_and_stderr(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = mean(values);
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (mean, (variance / n).sqrt())
}

/// The upper median; `None` of no values.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    let at = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(at, f64::total_cmp).1)
}

/// The least-squares slope of `y` over `x`; `None` below two points.
///
/// # Formula
/// `sum_i (x_i - mean x)(y_i - mean y) / sum_i (x_i - mean x)^2`
pub fn slope(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mean_x, mean_y) = (mean(x), mean(y));
    let square: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    let product = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>();
    (x.len() >= 2).then(|| product / square)
}

/// Plug-in entropy in nats of values that occur `counts` times, with the Miller-Madow term.
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
        // A single value has entropy 0; rounding may leave it just below.
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
        // Values 1, 2, 6: mean 3, variance (4 + 1 + 9) / 2 = 7, standard error sqrt(7 / 3).
        let (mean, stderr) = mean_and_stderr(&[1.0, 2.0, 6.0]);
        assert!((mean - 3.0).abs() < 1e-12 && (stderr - (7.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(slope(&[0.0, 1.0, 2.0], &[1.0, 3.0, 5.0]), Some(2.0));
        assert_eq!(slope(&[0.0], &[1.0]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
    }
}
