//! Selects the candidates that beat the mean and have nearly the smallest error, and gives them weights in a
//! blend.

use super::score::{CandidateScore, Choice};
use crate::calibration::candidates::registry::{ALL, selectable};

/// Maximum number of candidates in a blend.
const MOST_PARTS: usize = 8;
/// Largest error of a candidate in a blend, relative to the smallest error.
const NEAR: f64 = 1.2;
/// Like [`NEAR`], but for the selection of candidates for rows beyond the training range.
const NEAR_BEYOND: f64 = 1.4;

/// Scores of all candidates on one split; `None` if a candidate cannot be fitted.
type Scores<'a> = &'a [Option<CandidateScore>];

/// Selects the candidates for rows within the training range and computes their weights. `splits` are the
/// scores of all candidates on the splits that the selection uses; `n` is the number of rows of the sample.
/// `None` if no candidate beats the mean on every split.
///
/// Errors are mean absolute errors in the unit of the response, averaged over the splits. A blend contains at
/// most eight candidates, whose errors are at most a fifth above the smallest error. Their weights are the
/// inverse fourth powers of their errors. A blend predicts new rows better than the candidate with the
/// smallest error: another candidate may be better on new rows, and the errors of different candidates partly
/// cancel.
pub(super) fn select_within(splits: &[Scores], n: usize) -> Option<Choice> {
    let error = |at: usize| -> Option<f64> {
        let of_split = |scores: &Scores| -> Option<f64> {
            scores[at].as_ref().filter(|score| score.unit_skill_mean > 0.0).map(|score| score.mae)
        };
        splits.iter().map(of_split).sum::<Option<f64>>().map(|sum| sum / splits.len() as f64)
    };
    blend(selectable(n).into_iter().filter_map(|at| Some((at, error(at)?))).collect(), NEAR)
}

/// Selects the candidates for rows beyond the training range; `None` if no candidate beats the mean over the
/// splits.
///
/// Only candidates that continue a trend are selected, unless none of them beats the mean. Predictions of the
/// other candidates stay near the responses of the training rows. Forward folds of weak models cannot show
/// how large the resulting error is, because all of their rows are weak. Errors are measured on the scale of
/// the link, relative to the errors of the mean, and averaged over the splits. Near a bound, errors in the
/// unit of the response hardly differ between candidates. Errors in this unit are used only if no candidate
/// beats the mean on the scale of the link.
pub(super) fn select_beyond(splits: &[Scores], n: usize) -> Option<Choice> {
    let better = |skill: &dyn Fn(&CandidateScore) -> f64| -> Vec<(usize, f64)> {
        let error = |at: usize| -> Option<f64> {
            let of_split = |scores: &Scores| Some(1.0 - skill(scores[at].as_ref()?));
            splits.iter().map(of_split).sum::<Option<f64>>().map(|sum| sum / splits.len() as f64)
        };
        let candidates = selectable(n).into_iter().filter_map(|at| Some((at, error(at)?)));
        candidates.filter(|(_, error)| *error < 1.0).collect()
    };
    let mut all = better(&|score| score.skill_mean);
    if all.is_empty() {
        all = better(&|score| score.unit_skill_mean);
    }
    let continued: Vec<(usize, f64)> =
        all.iter().copied().filter(|(at, _)| ALL[*at].continues_trends()).collect();
    blend(if continued.is_empty() { all } else { continued }, NEAR_BEYOND)
}

/// The blend of candidates whose errors are at most `near` times the smallest error.
fn blend(mut candidates: Vec<(usize, f64)>, near: f64) -> Option<Choice> {
    // The candidates are in order of complexity and the sort is stable, so ties go to the simpler candidate.
    candidates.sort_by(|a, b| a.1.total_cmp(&b.1));
    let most = near * candidates.first()?.1;
    candidates.retain(|(_, error)| *error <= most);
    candidates.truncate(MOST_PARTS);
    let weight = |error: f64| error.max(1e-12).powi(-4);
    let total: f64 = candidates.iter().map(|(_, error)| weight(*error)).sum();
    Some(Choice(candidates.into_iter().map(|(at, error)| (at, weight(error) / total)).collect()))
}
