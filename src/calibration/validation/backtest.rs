//! The back-test of the whole procedure: selection, fit and intervals are repeated on the training rows of
//! each fold, and predict the rows it leaves out. The result is the coverage that intervals of these data
//! reach, beside their nominal level.

use rayon::prelude::*;

use super::coverage::{Backtest, Coverage, RefusedShares};
use super::cross_validation::times_left_out;
use super::fit::{CalibrationFit, fit};
use super::folds::forward_new_family;
use crate::calibration::intervals::endpoints::EndpointQuantiles;
use crate::calibration::intervals::method::IntervalMethod;
use crate::calibration::table::folds::{BySplit, Fold, Split};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::error::Result;
use crate::numeric::statistics::{effective_n, weighted_mean};

/// Most folds of a back-test: outside, where families are left out of forward folds, and inside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BacktestFolds {
    pub outer: usize,
    pub new_family: usize,
    pub inner: usize,
}

/// An interval of one row: the level above which it holds the true value, and its width at the card's level.
#[derive(Debug, Clone, Copy)]
struct TestedInterval {
    covering_level: f64,
    width: f64,
}

/// The interval of each method; `None` for a method without residuals.
type TestedIntervals = [Option<TestedInterval>; IntervalMethod::ALL.len()];

/// One back-tested row; without intervals where nothing was selected.
struct TestedRow<'a> {
    model: &'a str,
    fold: usize,
    weight: f64,
    intervals: Option<TestedIntervals>,
}

/// Back-tests every split.
///
/// # Errors
/// [`Error::Calibration`](crate::Error::Calibration) if a solver fails.
pub(crate) fn backtest(sample: &Sample, link: Link, level: f64, folds: BacktestFolds) -> Result<Backtest> {
    let run = |split: Vec<Fold>, beyond: bool| -> Result<(Vec<Coverage>, Option<f64>)> {
        let times = times_left_out(&split, sample.len());
        let rows: Vec<Vec<TestedRow>> = split
            .par_iter()
            .enumerate()
            .map(|(at, fold)| {
                let (fit, _) = fit(&sample.subset(&fold.train), link, folds.inner)?;
                let test = |&row: &usize| TestedRow {
                    model: &sample.models[row],
                    fold: at,
                    weight: sample.weights[row] / times[row] as f64,
                    intervals: intervals(&fit, beyond, sample, row, link, level),
                };
                Ok(fold.test.iter().map(test).collect())
            })
            .collect::<Result<_>>()?;
        let rows: Vec<TestedRow> = rows.into_iter().flatten().collect();
        let refused: Vec<f64> = rows.iter().map(|row| f64::from(row.intervals.is_none())).collect();
        let weights: Vec<f64> = rows.iter().map(|row| row.weight).collect();
        let refused = (!rows.is_empty()).then(|| weighted_mean(&refused, &weights));
        let methods = IntervalMethod::ALL.iter().enumerate();
        Ok((methods.filter_map(|(at, method)| coverage(*method, at, &rows)).collect(), refused))
    };
    let model = run(Split::LeaveModelOut.folds(sample, folds.outer)?, false)?;
    let family = run(Split::LeaveFamilyOut.folds(sample, folds.outer)?, false)?;
    let forward = run(Split::Forward.folds(sample, folds.outer)?, true)?;
    let both = run(forward_new_family(sample, folds.new_family)?, true)?;
    Ok(Backtest {
        leave_model_out: model.0,
        leave_family_out: family.0,
        forward: forward.0,
        forward_new_family: both.0,
        refused: RefusedShares {
            leave_model_out: model.1,
            leave_family_out: family.1,
            forward: forward.1,
            forward_new_family: both.1,
        },
    })
}

fn intervals(
    fit: &CalibrationFit,
    beyond: bool,
    sample: &Sample,
    row: usize,
    link: Link,
    level: f64,
) -> Option<TestedIntervals> {
    let selected = if beyond { fit.beyond_range.as_ref() } else { fit.within_range.as_ref() }?;
    let predictors = sample.predictors(row);
    let x = fit.basis.complete(&predictors);
    let endpoints = BySplit::try_new(|split| -> Result<EndpointQuantiles> {
        Ok(selected.endpoints(split, &x, &predictors, &fit.basis, link))
    })
    .ok()?;
    // Ends are checked as they are printed, in the unit of the response: where shares are clipped the scale
    // of the link cannot distinguish them.
    let (truth, y_hat) = (sample.y[row], selected.fitted.predict(&x, &predictors, &fit.basis, link));
    let low_end = |eta: f64| link.low_end(eta).min(y_hat);
    let high_end = |eta: f64| link.high_end(eta).max(y_hat);
    Some(IntervalMethod::ALL.map(|method| {
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
    }))
}

/// Coverage of the method that is the `at`-th; `None` where no row has an interval of it.
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
