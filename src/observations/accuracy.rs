//! Summarises in-context accuracy over shots by two numbers, its level and its slope.

use crate::collect::Score;
use crate::collect::results::scores::empirical_logit;
use crate::numeric::statistics::{mean, slope};

/// The mean over shots of the empirical logit of a model's accuracy on a task, and its slope per `log2(shots
/// + 1)`.
pub fn accuracy(scores: &[Score], model: &str, task: &str) -> Option<(f64, f64)> {
    let (shots, logits): (Vec<f64>, Vec<f64>) = scores
        .iter()
        .filter(|score| score.model == model && score.task == task)
        .filter_map(|score| {
            let n = score.n_scored as f64;
            Some((((score.shots + 1) as f64).log2(), empirical_logit(score.accuracy? * n, n)))
        })
        .unzip();
    slope(&shots, &logits).map(|slope| (mean(&logits), slope))
}
