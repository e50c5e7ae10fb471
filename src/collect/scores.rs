//! Scores: graded answers of one model to one task at one number of shots, with every kind of non-answer counted apart, and their CSV.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// One row of scores.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Who answered: an API provider, or `local`.
    pub provider: String,
    /// The model asked.
    pub model: String,
    /// The snapshot that answered; for local models the SHA-256 of the weights.
    pub model_snapshot: String,
    /// The task.
    pub task: String,
    /// Examples shown before the question.
    pub shots: usize,
    /// Questions asked.
    pub n_items: usize,
    /// Answers that could be graded.
    pub n_scored: usize,
    /// Refusals.
    pub n_refused: usize,
    /// Answers withheld by a filter.
    pub n_filtered: usize,
    /// Answers cut at the token limit.
    pub n_truncated: usize,
    /// Empty answers.
    pub n_empty: usize,
    /// Answers no parser could read.
    pub n_unreadable: usize,
    /// Requests that failed.
    pub n_error: usize,
    /// Share of correct answers among the scored.
    pub accuracy: Option<f64>,
    /// Lower end of its 95 % Wilson interval.
    pub accuracy_low: Option<f64>,
    /// Upper end of its 95 % Wilson interval.
    pub accuracy_high: Option<f64>,
    /// Share of correct answers among all asked.
    pub accuracy_all_as_wrong: Option<f64>,
    /// Mean over scored items of the log-probability of the whole right answer, nats.
    pub mean_logprob: Option<f64>,
    /// When the answers came, where they came over the wire.
    pub collected_at: Option<String>,
}

/// 95 % Wilson score interval of a share (Wilson 1927).
///
/// `(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)`; `None` for `n = 0`.
pub fn wilson(correct: usize, n: usize) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let (n, p) = (n as f64, correct as f64 / n as f64);
    let z = Normal::standard().inverse_cdf(0.975);
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some((((centre - half) / scale).max(0.0), ((centre + half) / scale).min(1.0)))
}

/// Empirical logit of a share: `log((s + 1/2) / (n - s + 1/2))`, finite at 0 and 1 (Cox 1970).
pub fn empirical_logit(correct: f64, n: f64) -> f64 {
    ((correct + 0.5) / (n - correct + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_the_published_example() {
        // Newcombe 1998, table I, method 3 (score without continuity correction): 81/263 -> .2553 to .3662; 0/20 -> 0 to .1611.
        let (low, high) = wilson(81, 263).unwrap();
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5);
        let (low, high) = wilson(0, 20).unwrap();
        assert!(low.abs() < 1e-12 && (high - 0.1611).abs() < 5e-5);
        assert!(wilson(0, 0).is_none());
    }
}
