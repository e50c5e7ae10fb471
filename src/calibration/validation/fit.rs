//! One calibration of one sample: cross-validation of every candidate on three splits, selection, and the
//! selected candidates fitted on all rows, with the residuals that their intervals are made of. The back-test
//! repeats this on the training rows of each of its folds.

use serde::{Deserialize, Serialize};

use super::cross_validation::CrossValidation;
use super::score::{CandidateScore, scores};
use super::select::{ValidatedSplit, select};
use crate::calibration::candidates::CandidateRole;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::fitted::{FittedCandidate, FittedCandidates};
use crate::calibration::candidates::registry::baseline;
use crate::calibration::intervals::residuals::{HeldOutResidual, Residuals};
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::{BySplit, Split};
use crate::calibration::table::link::Link;
use crate::calibration::table::ranges::{proxy_excess, proxy_ranges};
use crate::calibration::table::sample::{Sample, distinct};
use crate::error::{Error, Result};

/// A calibration without its provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationFit {
    /// What was learnt from the features.
    pub basis: Basis,
    /// The mean, for comparison.
    pub mean: FittedCandidate,
    /// The regression on log size, for comparison, where sizes are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<FittedCandidate>,
    /// For rows within the training range: selected by the error over families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within_range: Option<SelectedCandidate>,
    /// For rows beyond it: selected by the error over families and over the stronger models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond_range: Option<SelectedCandidate>,
}

/// Scores of every candidate on every split.
pub type SplitScores = BySplit<Vec<CandidateScore>>;

/// Fits a sample, with `most` folds where a split is of models or families.
///
/// # Errors
/// [`Error::Calibration`] if a solver fails.
pub(crate) fn fit(sample: &Sample, link: Link, most: usize) -> Result<(CalibrationFit, SplitScores)> {
    let validate = |split: Split| CrossValidation::run(sample, link, split.folds(sample, most)?);
    let validations = BySplit::try_new(validate)?;
    let tables = BySplit::try_new(|split| -> Result<Vec<Option<CandidateScore>>> {
        Ok(scores(validations.get(split), sample, link))
    })?;
    let whole = FittedCandidates::all(sample, link)?;
    let pick = |splits: &[Split]| {
        let validated = splits.iter().map(|&split| (validations.get(split), tables.get(split).as_slice()));
        let validated: Vec<ValidatedSplit> = validated.collect();
        if validated.iter().any(|(validation, _)| validation.predictions.is_empty()) {
            return None;
        }
        select(&validated, sample, link)
    };
    // Families decide within the range; where there is only one, models do. Beyond it the forward folds count
    // as well: alone they are too few and too small to select by.
    let has_families = validations.leave_family_out.folds.len() >= 2;
    let inside = if has_families { Split::LeaveFamilyOut } else { Split::LeaveModelOut };
    let selected = |candidate: Option<usize>| -> Option<SelectedCandidate> {
        let at = candidate?;
        let residuals = BySplit {
            leave_model_out: residuals(&validations.leave_model_out, at, sample, link, true),
            leave_family_out: residuals(&validations.leave_family_out, at, sample, link, true),
            forward: residuals(&validations.forward, at, sample, link, false),
        };
        Some(SelectedCandidate { fitted: whole.models[at].clone()?, residuals })
    };
    let of_role = |role: CandidateRole| baseline(role).and_then(|at| whole.models[at].clone());
    let mean = of_role(CandidateRole::MeanBaseline)
        .ok_or_else(|| Error::Calibration { reason: "the mean could not be fitted".into() })?;
    let fit = CalibrationFit {
        mean,
        size: of_role(CandidateRole::SizeBaseline),
        within_range: selected(pick(&[inside])),
        beyond_range: selected(pick(&[inside, Split::Forward])),
        basis: whole.basis.clone(),
    };
    let known = |table: Vec<Option<CandidateScore>>| table.into_iter().flatten().collect();
    let scores = SplitScores {
        leave_model_out: known(tables.leave_model_out),
        leave_family_out: known(tables.leave_family_out),
        forward: known(tables.forward),
    };
    Ok((fit, scores))
}

/// The residuals of one candidate; `keep` the models of the folds.
fn residuals(
    validation: &CrossValidation,
    candidate: usize,
    sample: &Sample,
    link: Link,
    keep: bool,
) -> Residuals {
    let CrossValidation { folds, predictions } = validation;
    let total: f64 = predictions.iter().map(|held_out| held_out.weight).sum();
    let models: Vec<String> =
        predictions.iter().map(|held_out| sample.models[held_out.row].clone()).collect();
    let per_weight = distinct(&models).len() as f64 / total;
    let largest = |rows: &[usize]| rows.iter().map(|&row| sample.log10_sizes[row]).fold(f64::NAN, f64::max);
    let proxies = sample.proxies.as_deref();
    let ranges: Vec<Option<[[f64; 2]; 2]>> = folds
        .iter()
        .map(|(fold, _)| {
            proxies.and_then(|proxies| proxy_ranges(fold.train.iter().map(|&row| &proxies[row]), link))
        })
        .collect();
    let held_out = predictions.iter().filter_map(|held_out| {
        let (row, y_hat) = (held_out.row, held_out.y_hat[candidate]?);
        let gap = sample.log10_sizes[row] - largest(&folds[held_out.fold].0.train);
        Some(HeldOutResidual {
            model: sample.models[row].clone(),
            family: sample.families[row].clone(),
            fold: held_out.fold,
            residual: (link.apply(y_hat) - link.apply(sample.y[row])).abs(),
            weight: held_out.weight * per_weight,
            log10_size_gap: gap.is_finite().then_some(gap),
            proxy_gaps: ranges[held_out.fold]
                .zip(proxies)
                .map(|(ranges, proxies)| proxy_excess(ranges, proxies[row], link)),
        })
    });
    let held_out: Vec<HeldOutResidual> = held_out.collect();
    let is_whole = held_out.len() == predictions.len();
    let models = folds.iter().filter_map(|(_, fits)| fits.models[candidate].clone());
    let models = if keep { models.collect() } else { vec![] };
    Residuals::new(models, if is_whole { held_out } else { vec![] })
}
