//! Computes the uncertainty of proportions and of paired differences.

use rand::Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::seed;

/// The 95 % Wilson score interval of a proportion (Wilson 1927).
///
/// `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`; `None` for `n = 0`. `correct` may be a sum of
/// means over replicates. The interval is then conservative, because a mean varies less than a single answer.
pub fn wilson(correct: f64, n: usize) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let (n, p) = (n as f64, correct / n as f64);
    let z = Normal::standard().inverse_cdf(0.975);
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    // Rounding must not move an end of the interval across the proportion.
    let (low, high) = ((centre - half) / scale, (centre + half) / scale);
    Some((low.clamp(0.0, p.clamp(0.0, 1.0)), high.clamp(p.clamp(0.0, 1.0), 1.0)))
}

/// The empirical logit of a proportion, `log((correct + 1/2) / (n - correct + 1/2))`. It is finite at 0 and 1
/// (Cox 1970).
pub fn empirical_logit(correct: f64, n: f64) -> f64 {
    ((correct + 0.5) / (n - correct + 0.5)).ln()
}

/// Number of bootstrap resamples.
pub const RESAMPLES: usize = 2000;

/// The mean of paired differences with its 95 % percentile bootstrap interval (Efron & Tibshirani 1993,
/// section 13.3). Pairs are resampled with replacement. Each pair is one question, so the replicates of a
/// question stay together. `None` for fewer than two pairs.
pub fn paired_bootstrap(differences: &[f64], label: &str, seed: u64) -> Option<(f64, f64, f64)> {
    let n = differences.len();
    if n < 2 {
        return None;
    }
    let mut rng = seed::stream("bootstrap", label, seed);
    let mean = |sum: f64| sum / n as f64;
    let draw = |_| mean((0..n).map(|_| differences[rng.random_range(0..n)]).sum());
    let mut means: Vec<f64> = (0..RESAMPLES).map(draw).collect();
    means.sort_by(f64::total_cmp);
    // The order statistics of the resamples at 2.5 % and 97.5 %.
    let at = |level: f64| means[((level * (RESAMPLES + 1) as f64).round() as usize).clamp(1, RESAMPLES) - 1];
    Some((mean(differences.iter().sum()), at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_the_published_example() {
        // Newcombe 1998, table I, method 3 (score without continuity correction): 81/263 -> .2553 to .3662;
        // 0/20 -> 0 to .1611.
        let (low, high) = wilson(81.0, 263).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
        let (low, high) = wilson(0.0, 20).unwrap();
        assert!(low.abs() < 1e-12 && (high - 0.1611).abs() < 5e-5);
        assert!(wilson(0.0, 0).is_none());
    }

    #[test]
    fn the_ends_of_the_interval_never_cross_the_share() {
        for n in 1..=400_usize {
            for correct in [0.0, 0.5, 1.0, n as f64 / 3.0, n as f64 - 0.5, n as f64] {
                if correct <= n as f64 {
                    let share = correct / n as f64;
                    let (low, high) = wilson(correct, n).unwrap();
                    assert!(0.0 <= low && low <= share && share <= high && high <= 1.0, "{correct} of {n}");
                }
            }
            assert_eq!((wilson(0.0, n).unwrap().0, wilson(n as f64, n).unwrap().1), (0.0, 1.0));
        }
    }

    #[test]
    fn the_bootstrap_agrees_with_the_normal_interval_where_that_holds() {
        // Among 400 differences, 100 are 1 and 40 are -1. The mean is .15, and its standard error is
        // sqrt((.35 - .0225) / 400) = .02861.
        let differences: Vec<f64> = (0..400)
            .map(|i| {
                if i < 100 {
                    1.0
                } else if i < 140 {
                    -1.0
                } else {
                    0.0
                }
            })
            .collect();
        let (mean, low, high) = paired_bootstrap(&differences, "t", 1).unwrap();
        assert!((mean - 0.15).abs() < 1e-12);
        // With 2000 resamples, an end varies by about 4 % of the half-width of the interval.
        assert!(
            (low - (0.15 - 1.96 * 0.02861)).abs() < 0.006 && (high - (0.15 + 1.96 * 0.02861)).abs() < 0.006,
            "{low} {high}"
        );
        assert_eq!(paired_bootstrap(&differences, "t", 1), paired_bootstrap(&differences, "t", 1));
        assert_ne!(paired_bootstrap(&differences, "t", 1), paired_bootstrap(&differences, "t", 2));
        assert_eq!(paired_bootstrap(&[1.0], "t", 1), None);
        assert_eq!(paired_bootstrap(&[1.0; 9], "t", 1), Some((1.0, 1.0, 1.0)));
    }
}
