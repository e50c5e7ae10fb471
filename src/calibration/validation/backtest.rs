//! The back-test of the whole procedure. Selection, fit and intervals are repeated on the training rows of
//! each fold and applied to its held-out rows. The result is the coverage that intervals on these data reach,
//! which may differ from their nominal level.

use rayon::prelude::*;

use super::calibration_fit::CalibrationFit;
use super::coverage::{Backtest, Coverage, TestedSplits};
use super::cross_validation::times_left_out;
use super::fit::{FitDetails, fit};
use super::folds::{forward_new_family, thinned};
use super::nested_error::{Constants, NestedError, nested_skill};
use super::range::TrainingRange;
use super::regime::Regime;
use crate::calibration::intervals::endpoints::EndpointQuantiles;
use crate::calibration::intervals::fold_models::FoldModel;
use crate::calibration::intervals::method::IntervalMethod;
use crate::calibration::intervals::selected::{SelectedCandidate, endpoints};
use crate::calibration::intervals::skill::Skill;
use crate::calibration::table::folds::{BySplit, Fold};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::error::Result;
use crate::numeric::statistics::{effective_n, weighted_mean};

/// Maximum number of held-out rows of a fold that are predicted. For a larger fold, evenly spaced rows are
/// used.
const MOST_TESTED: usize = 400;

/// Maximum numbers of folds in a back-test: outer folds, forward folds that leave families out, and inner
/// folds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BacktestFolds {
    pub outer: usize,
    pub new_family: usize,
    pub inner: usize,
}

/// How an interval covers the true value of one row: the level above which the interval contains the value,
/// and the width of the interval at the card's level.
#[derive(Debug, Clone, Copy)]
struct TestedInterval {
    covering_level: f64,
    width: f64,
}

/// The interval of each method; `None` for a method without residuals.
type TestedIntervals = [Option<TestedInterval>; IntervalMethod::ALL.len()];

/// One back-tested row. It has no intervals if no candidate was selected.
struct TestedRow<'a> {
    model: &'a str,
    fold: usize,
    weight: f64,
    error: NestedError,
    intervals: Option<TestedIntervals>,
}

/// The result of the back-test of one split.
#[derive(Default)]
struct SplitBacktest {
    coverages: Vec<Coverage>,
    refused: Option<f64>,
    skill: Option<Skill>,
}

/// Back-tests every split.
///
/// # Errors
/// [`Error::Calibration`](crate::Error::Calibration) if a solver fails.
pub(crate) fn backtest(sample: &Sample, link: Link, level: f64, folds: BacktestFolds) -> Result<Backtest> {
    let run = |split: Vec<Fold>, regime: Regime| -> Result<SplitBacktest> {
        let times = times_left_out(&split, sample.len());
        let rows: Vec<Vec<TestedRow>> = split
            .par_iter()
            .enumerate()
            .map(|(at, fold)| {
                let rows = sample.subset(&fold.train);
                let (fit, _, details) = fit(&rows, link, folds.inner, &[regime])?;
                let predictor = RegimePredictor::new(&fit, &details, regime, (&rows, link));
                let constants = Constants::of(&rows);
                let step = fold.test.len().div_ceil(MOST_TESTED).max(1);
                let test = |&row: &usize| {
                    let tested = predictor.as_ref().map(|predictor| predictor.test(sample, row, level));
                    let y_hat = tested.map(|(y_hat, _)| y_hat);
                    TestedRow {
                        model: &sample.models[row],
                        fold: at,
                        weight: sample.weights[row] * step as f64 / times[row] as f64,
                        error: constants.error(y_hat, sample.y[row], link),
                        intervals: tested.map(|(_, intervals)| intervals),
                    }
                };
                Ok(fold.test.iter().step_by(step).map(test).collect())
            })
            .collect::<Result<_>>()?;
        let rows: Vec<TestedRow> = rows.into_iter().flatten().collect();
        let refused: Vec<f64> = rows.iter().map(|row| f64::from(row.intervals.is_none())).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
        let refused = (!rows.is_empty()).then(|| weighted_mean(&refused, &weights));
        let methods = IntervalMethod::ALL.iter().enumerate();
        Ok(SplitBacktest {
            coverages: methods.filter_map(|(at, method)| coverage(*method, at, &rows)).collect(),
            refused,
            skill: nested_skill(rows.iter().map(|row| (row.error, row.weight))),
        })
    };
    let of = |regime: Regime| run(thinned(&regime.split().folds(sample, folds.outer)?, folds.outer), regime);
    let (model, family) = (of(Regime::Interpolation)?, of(Regime::NewFamily)?);
    let (forward, backward) = (of(Regime::Extrapolation)?, of(Regime::BelowRange)?);
    let both = run(forward_new_family(sample, folds.new_family)?, Regime::Extrapolation)?;
    Ok(Backtest {
        refused: TestedSplits {
            leave_model_out: model.refused,
            leave_family_out: family.refused,
            forward: forward.refused,
            backward: backward.refused,
            forward_new_family: both.refused,
        },
        skill: TestedSplits {
            leave_model_out: model.skill,
            leave_family_out: family.skill,
            forward: forward.skill,
            backward: backward.skill,
            forward_new_family: both.skill,
        },
        leave_model_out: model.coverages,
        leave_family_out: family.coverages,
        forward: forward.coverages,
        backward: backward.coverages,
        forward_new_family: both.coverages,
    })
}

/// The selected candidate of one regime, with its fold models.
struct RegimePredictor<'a> {
    range: TrainingRange,
    fit: &'a CalibrationFit,
    selected: &'a SelectedCandidate,
    folds: BySplit<Vec<FoldModel>>,
    link: Link,
}

impl<'a> RegimePredictor<'a> {
    /// `None` if no candidate was selected.
    fn new(
        fit: &'a CalibrationFit,
        details: &FitDetails,
        regime: Regime,
        (rows, link): (&Sample, Link),
    ) -> Option<Self> {
        let selected = regime.selected(fit)?;
        let range = TrainingRange::without_distances(rows, &fit.basis, link);
        let of = |split| -> Result<Vec<FoldModel>> { Ok(details.fold_models(regime.split(), split)) };
        Some(Self { range, fit, selected, folds: BySplit::try_new(of).ok()?, link })
    }

    /// Predicts a row and measures its intervals. The ends are compared with the true value in the unit of
    /// the response, because the link clips shares near a bound to the same value.
    fn test(&self, sample: &Sample, row: usize, level: f64) -> (f64, TestedIntervals) {
        let link = self.link;
        let predictors = sample.predictors(row);
        let x = self.fit.basis.complete(&predictors);
        let (truth, y_hat) =
            (sample.y[row], self.selected.fitted.predict(&x, &predictors, &self.fit.basis, link));
        let uses_size = self.selected.fitted.model().uses_size();
        let gaps = self.range.gaps(&predictors, &self.fit.basis, &x, uses_size);
        let own = (link.apply(y_hat), gaps);
        let endpoints = BySplit::try_new(|split| -> Result<EndpointQuantiles> {
            let residuals = self.selected.residuals.get(split);
            Ok(endpoints(split, residuals, self.folds.get(split), &predictors, own, link))
        });
        let Ok(endpoints) = endpoints else { return (y_hat, Default::default()) };
        let low_end = |eta: f64| link.low_end(eta).min(y_hat);
        let high_end = |eta: f64| link.high_end(eta).max(y_hat);
        let intervals = IntervalMethod::ALL.map(|method| {
            let parts = method.splits().iter().map(|split| endpoints.get(*split));
            let parts: Vec<&EndpointQuantiles> = parts.filter(|ends| !ends.is_empty()).collect();
            if parts.is_empty() {
                return None;
            }
            let (mut high, mut low) = (f64::INFINITY, f64::INFINITY);
            let (mut top, mut bottom) = (f64::NEG_INFINITY, f64::INFINITY);
            for ends in parts {
                let (above, below) = ends.covering(truth, low_end, high_end);
                (high, low) = (high.min(above), low.min(below));
                let (a, b, _) = ends.at(level);
                (bottom, top) = (bottom.min(a), top.max(b));
            }
            Some(TestedInterval { covering_level: high.max(low), width: high_end(top) - low_end(bottom) })
        });
        (y_hat, intervals)
    }
}

/// Coverage of the method at index `at`; `None` if no row has an interval by this method.
fn coverage(interval_method: IntervalMethod, at: usize, rows: &[TestedRow]) -> Option<Coverage> {
    let tested = rows.iter().filter_map(|row| Some((row, row.intervals?[at]?)));
    let effective_n = effective_n(tested.clone().map(|(row, _)| (row.model, row.weight)));
    let mut tested: Vec<(&TestedRow, TestedInterval)> = tested.collect();
    if tested.is_empty() {
        return None;
    }
    tested.sort_unstable_by(|(a, one), (b, other)| {
        let by_level = one.covering_level.total_cmp(&other.covering_level);
        by_level.then(a.weight.total_cmp(&b.weight)).then(a.fold.cmp(&b.fold))
    });
    let (widths, weights): (Vec<f64>, Vec<f64>) =
        tested.iter().map(|(row, interval)| (interval.width, row.weight)).unzip();
    Some(Coverage {
        interval_method,
        levels: tested.iter().map(|(row, interval)| [interval.covering_level, row.weight]).collect(),
        folds: tested.iter().map(|(row, _)| row.fold).collect(),
        width: weighted_mean(&widths, &weights),
        effective_n,
    })
}
