//! In-context accuracy as two numbers: its level and its slope over shots.

use crate::collect::Score;
use crate::collect::results::scores::empirical_logit;

/// Mean over shots of the empirical logit of a model's accuracy on a task, and its slope per `log2(shots +
/// 1)`.
pub fn accuracy(scores: &[Score], model: &str, task: &str) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = scores
        .iter()
        .filter(|score| score.model == model && score.task == task)
        .filter_map(|score| {
            let n = score.n_scored as f64;
            Some((((score.shots + 1) as f64).log2(), empirical_logit(score.accuracy? * n, n)))
        })
        .collect();
    let n = points.len() as f64;
    let (s, a) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let square: f64 = points.iter().map(|p| (p.0 - s).powi(2)).sum();
    (square > 0.0).then(|| (a, points.iter().map(|p| (p.0 - s) * (p.1 - a)).sum::<f64>() / square))
}
