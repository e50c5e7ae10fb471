//! Selection: a blend of the candidates whose errors are near the least, among those that beat the mean.

use super::score::{CandidateScore, Choice};
use crate::calibration::candidates::registry::selectable;

/// Most candidates in a blend.
const MOST_PARTS: usize = 8;
/// A candidate is in the blend if its error is at most so many times the least.
const NEAR: f64 = 1.2;

/// The candidates that are chosen, with their weights, by their scores on some splits of a sample of `n`
/// rows; `None` where no candidate beats the mean on every split.
///
/// Errors are absolute, in the unit of the response, and the mean over the splits. A blend holds the
/// candidates that err at most a fifth more than the best, eight at most, weighted by the inverse fourth
/// powers of their errors: which of them is the best elsewhere is not known, and their errors partly cancel.
pub(super) fn select(splits: &[&[Option<CandidateScore>]], n: usize) -> Option<Choice> {
    let error = |at: usize| -> Option<f64> {
        let mut sum = 0.0;
        for scores in splits {
            sum += scores[at].as_ref().filter(|score| score.unit_skill_mean > 0.0)?.mae;
        }
        Some(sum / splits.len() as f64)
    };
    let mut candidates: Vec<(usize, f64)> =
        selectable(n).into_iter().filter_map(|at| Some((at, error(at)?))).collect();
    // Of equal errors the simpler candidate comes first: they are in the order of their complexity.
    candidates.sort_by(|a, b| a.1.total_cmp(&b.1));
    let most = NEAR * candidates.first()?.1;
    candidates.retain(|(_, error)| *error <= most);
    candidates.truncate(MOST_PARTS);
    let weight = |error: f64| error.max(1e-12).powi(-4);
    let total: f64 = candidates.iter().map(|(_, error)| weight(*error)).sum();
    Some(Choice(candidates.into_iter().map(|(at, error)| (at, weight(error) / total)).collect()))
}
