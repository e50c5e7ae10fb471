//! Fits one calibration to one sample: cross-validates every candidate, selects a candidate or blend for each
//! regime, and fits it on all rows, with the residuals for its intervals. The back-test repeats this on the
//! training rows of each of its folds.

use super::calibration_fit::{CalibrationFit, SplitScores};
use super::cross_validation::CrossValidation;
use super::regime::Regime;
use super::score::{CandidateScore, Choice, score, scores, skill_of};
use super::select::{select_beyond, select_within};
use super::trend::strengths;
use crate::calibration::candidates::CandidateRole;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::blend::{Blend, BlendPart};
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::candidates::fitted_candidates::FittedCandidates;
use crate::calibration::candidates::registry::baseline;
use crate::calibration::intervals::fold_models::FoldModel;
use crate::calibration::intervals::residuals::{Gaps, HeldOutResidual, Residuals};
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::intervals::skill::Skill;
use crate::calibration::table::folds::{BySplit, Split};
use crate::calibration::table::link::Link;
use crate::calibration::table::ranges::{proxy_excess, proxy_ranges, range_of, signed_excess};
use crate::calibration::table::sample::{Sample, distinct};
use crate::error::{Error, Result};

/// Maximum number of residuals of a split. This is enough for the quantiles of intervals.
const MOST_RESIDUALS: usize = 2000;

/// Intermediate results of a fit: the cross-validations, and the selected candidates of each regime. The
/// back-test predicts from these results without a card.
pub(crate) struct FitDetails {
    pub validations: BySplit<CrossValidation>,
    pub choices: BySplit<Option<Choice>>,
}

/// Fits a sample for the given regimes. `most` is the maximum number of folds that leave out models or
/// families. Only splits that these regimes need are cross-validated. Other regimes get no selected
/// candidate.
///
/// # Errors
/// [`Error::Calibration`] if a solver fails.
pub(crate) fn fit(
    sample: &Sample,
    link: Link,
    most: usize,
    regimes: &[Regime],
) -> Result<(CalibrationFit, SplitScores, FitDetails)> {
    let has_families = Split::LeaveFamilyOut.folds(sample, 2)?.len() >= 2;
    // Within the range, errors on left-out families decide the selection, or errors on left-out models if
    // there is only one family. Beyond the range, errors in forward or backward folds are used as well.
    // Forward and backward folds are too few and too small to be the only basis of the selection.
    let inside = if has_families { Split::LeaveFamilyOut } else { Split::LeaveModelOut };
    let is_needed = |split: Split| {
        let of = |regime: &Regime| regime.interval_method().splits().contains(&split);
        regimes.iter().any(of) || (split == inside && regimes.iter().any(|r| *r != Regime::Interpolation))
    };
    let whole = FittedCandidates::all(sample, link)?;
    let validate = |split: Split| {
        let folds = if is_needed(split) { split.folds(sample, most)? } else { vec![] };
        CrossValidation::run(sample, link, folds, Some(&whole))
    };
    let validations = BySplit::try_new(validate)?;
    let tables = BySplit::try_new(|split| -> Result<Vec<Option<CandidateScore>>> {
        Ok(scores(validations.get(split), sample, link))
    })?;
    let pick = |regime: Regime, splits: &[Split]| {
        if !regimes.contains(&regime) {
            return None;
        }
        let scores: Vec<&[Option<CandidateScore>]> =
            splits.iter().map(|&split| tables.get(split).as_slice()).collect();
        let select = if regime.is_beyond() { select_beyond } else { select_within };
        select(&scores, sample.len())
    };
    let judges = BySplit {
        leave_model_out: vec![Split::LeaveModelOut],
        leave_family_out: vec![inside],
        forward: vec![inside, Split::Forward],
        backward: vec![inside, Split::Backward],
    };
    let choices = BySplit {
        leave_model_out: pick(Regime::Interpolation, &judges.leave_model_out),
        leave_family_out: pick(Regime::NewFamily, &judges.leave_family_out),
        forward: pick(Regime::Extrapolation, &judges.forward),
        backward: pick(Regime::BelowRange, &judges.backward),
    };
    let selected = |split: Split| -> Option<SelectedCandidate> {
        let choice = choices.get(split).as_ref()?;
        let of = |split: Split| -> Result<Residuals> {
            Ok(residuals(validations.get(split), choice, (sample, &whole.basis), link))
        };
        let residuals = BySplit::try_new(of).ok()?;
        let skills =
            judges.get(split).iter().map(|&split| skill_of(choice, validations.get(split), sample, link));
        let skill = Skill::mean(&skills.collect::<Option<Vec<_>>>()?)?;
        Some(SelectedCandidate { fitted: blend_of(choice, &whole.models)?, residuals, skill })
    };
    let of_role = |role: CandidateRole| baseline(role).and_then(|at| whole.models[at].clone());
    let mean = of_role(CandidateRole::MeanBaseline)
        .ok_or_else(|| Error::Calibration { reason: "the mean could not be fitted".into() })?;
    let fit = CalibrationFit {
        mean,
        size: of_role(CandidateRole::SizeBaseline),
        known_family: selected(Split::LeaveModelOut),
        within_range: selected(Split::LeaveFamilyOut),
        beyond_range: selected(Split::Forward),
        below_range: selected(Split::Backward),
        basis: whole.basis.clone(),
    };
    // A blend is scored on the split of its own regime.
    let table = |split: Split| -> Result<Vec<CandidateScore>> {
        let mut known: Vec<CandidateScore> = tables.get(split).iter().flatten().cloned().collect();
        let blend = choices.get(split).as_ref().filter(|choice| choice.0.len() > 1);
        known.extend(blend.and_then(|choice| score(choice, validations.get(split), sample, link)));
        Ok(known)
    };
    let scores = SplitScores::try_new(table)?;
    Ok((fit, scores, FitDetails { validations, choices }))
}

/// The blend of the chosen fitted candidates; `None` if one of them could not be fitted.
fn blend_of(choice: &Choice, models: &[Option<FittedCandidate>]) -> Option<FittedCandidate> {
    let parts = choice.0.iter();
    let parts: Option<Vec<BlendPart>> =
        parts.map(|(at, weight)| Some(BlendPart { weight: *weight, fitted: models[*at].clone()? })).collect();
    Blend::of(parts?)
}

impl FitDetails {
    /// The models of each fold of a split, for the candidate or blend that was selected for a regime. Empty
    /// if no candidate was selected.
    pub(crate) fn fold_models(&self, of_regime: Split, split: Split) -> Vec<FoldModel> {
        let Some(choice) = self.choices.get(of_regime) else { return vec![] };
        let folds = self.validations.get(split).folds.iter();
        let models = folds.map(|(_, fits)| {
            Some(FoldModel { basis: fits.basis.clone(), fitted: blend_of(choice, &fits.models)? })
        });
        models.collect::<Option<_>>().unwrap_or_default()
    }
}

/// Ranges of the training rows of a fold.
struct FoldRange {
    size: Option<[f64; 2]>,
    strength: Option<[f64; 2]>,
    proxy: Option<[[f64; 2]; 2]>,
}

/// The held-out residuals of one choice; empty if a fold could not fit the choice. At most
/// [`MOST_RESIDUALS`] evenly spaced rows are used.
fn residuals(
    validation: &CrossValidation,
    choice: &Choice,
    (sample, basis): (&Sample, &Basis),
    link: Link,
) -> Residuals {
    let CrossValidation { folds, predictions } = validation;
    let total: f64 = predictions.iter().map(|held_out| held_out.weight).sum();
    let models: Vec<String> =
        predictions.iter().map(|held_out| sample.models[held_out.row].clone()).collect();
    let per_weight = distinct(&models).len() as f64 / total;
    let strengths = strengths(sample, basis);
    let proxies = sample.proxies.as_deref();
    let ranges: Vec<FoldRange> = folds
        .iter()
        .map(|(fold, _)| FoldRange {
            size: range_of(fold.train.iter().map(|&row| sample.log10_sizes[row]).filter(|v| v.is_finite())),
            strength: range_of(fold.train.iter().map(|&row| strengths[row]).filter(|v| v.is_finite())),
            proxy: proxies
                .and_then(|proxies| proxy_ranges(fold.train.iter().map(|&row| &proxies[row]), link)),
        })
        .collect();
    let step = predictions.len().div_ceil(MOST_RESIDUALS).max(1);
    let per_weight = per_weight * step as f64;
    let held_out = predictions.iter().step_by(step).map(|held_out| {
        let (row, y_hat) = (held_out.row, choice.predict(&held_out.y_hat, link)?);
        let range = &ranges[held_out.fold];
        let outside = |range: Option<[f64; 2]>, value: f64| {
            let gap = range.filter(|_| value.is_finite()).map(|range| signed_excess(range, value));
            gap.unwrap_or_default().abs()
        };
        let gap = sample.log10_sizes[row] - range.size.map_or(f64::NAN, |[_, largest]| largest);
        Some(HeldOutResidual {
            model: sample.models[row].clone(),
            family: sample.families[row].clone(),
            row,
            fold: held_out.fold,
            residual: (link.apply(y_hat) - link.apply(sample.y[row])).abs(),
            weight: held_out.weight * per_weight,
            log10_size_gap: gap.is_finite().then_some(gap),
            gaps: Gaps {
                size: outside(range.size, sample.log10_sizes[row]),
                strength: outside(range.strength, strengths[row]),
            },
            proxy_gaps: range
                .proxy
                .zip(proxies)
                .map(|(ranges, proxies)| proxy_excess(ranges, proxies[row], link)),
        })
    });
    Residuals::new(held_out.collect::<Option<_>>().unwrap_or_default())
}
