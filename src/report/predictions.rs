//! Report `predictions`: predictions and measurements in the unit of the target, with intervals, their
//! back-tested coverage, errors and baselines. Errors are empty for models on which the card was trained.

use std::path::PathBuf;

use super::draw::scatter::{BaselinePoints, MOST_NAMES, Pair, Scatter};
use super::read::names;
use super::selection::KnownNames;
use super::{Report, ReportContent, ReportInput, Selection, Table};
use crate::calibration::{ErrorSummary, Outcome, PredictionRow};
use crate::error::{Error, Result};

pub(super) struct Predictions;

/// predictions.csv.
const PREDICTIONS: ReportInput = ReportInput { file: "predictions.csv", columns: &["target_model", "y_hat"] };

impl Report for Predictions {
    fn name(&self) -> &'static str {
        "predictions"
    }

    fn summary(&self) -> &'static str {
        "predictions with intervals and measurements; a scatter plot with the \
         identity line"
    }

    fn input(&self) -> ReportInput {
        PREDICTIONS
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        let (mut rows, mut known): (Vec<PredictionRow>, _) = (vec![], KnownNames::default());
        for input in inputs {
            let all = PredictionRow::read(&PREDICTIONS.at(input))?;
            all.iter().for_each(|row| known.add(&row.target_model, &row.corpus));
            rows.extend(all.into_iter().filter(|row| selection.admits(&row.target_model, &row.corpus)));
        }
        selection.check(&known)?;
        if rows.is_empty() {
            return Err(Selection::nothing(&inputs[0], "prediction"));
        }
        one_kind(&rows)?;
        let table = table(&rows);
        let scatter = scatter(&rows);
        let figures = match scatter.pairs.is_empty() {
            true => vec![],
            false => vec![(String::new(), scatter.figure()?)],
        };
        Ok(ReportContent { table, figures, caption: caption(&rows), latex: None })
    }
}

/// The table of the report, with one row for each prediction.
pub(super) fn table(rows: &[PredictionRow]) -> Table {
    // Show `shots` only if some row has it.
    let has_shots = rows.iter().any(|row| row.shots.is_some());
    let mut shown = vec!["target_model", "corpus"];
    shown.extend(has_shots.then_some("shots"));
    shown.extend([
        "unit",
        "y_hat",
        "low",
        "high",
        "measured",
        "error",
        "inside",
        "baseline_size",
        "baseline_mean",
        "level",
        "backtest_coverage",
        "regime",
    ]);
    let mut table = Table::with_hidden(&shown, &["target", "in_training", "status", "note"]);
    for row in rows {
        let mut cells = vec![row.target_model.as_str().into(), row.corpus.as_str().into()];
        cells.extend(has_shots.then(|| row.shots.into()));
        cells.extend([
            row.unit.as_str().into(),
            row.y_hat.into(),
            row.low.into(),
            row.high.into(),
            row.measured.into(),
            row.error().into(),
            row.is_inside().map(|inside| if inside { "yes" } else { "no" }).into(),
            row.baseline_size.into(),
            row.baseline_mean.into(),
            row.level.into(),
            row.backtest_coverage.into(),
            match () {
                () if row.y_hat.is_none() => "refused",
                () if row.is_in_training() => "trained on",
                () => row.regime.as_str(),
            }
            .into(),
            row.target.as_str().into(),
            row.in_training.map(|is_in| if is_in { "true" } else { "false" }).into(),
            // A file without the column `status` can still contain predictions.
            if row.y_hat.is_some() { "ok" } else { row.status.name() }.into(),
            row.note.as_str().into(),
        ]);
        table.rows.push(cells);
    }
    table
}

/// The figure of the rows with a prediction and a measurement.
pub(super) fn scatter(rows: &[PredictionRow]) -> Scatter {
    let (names, name) = colours(rows);
    let is_drawn = |row: &&PredictionRow| row.error().is_some();
    let pairs = rows.iter().enumerate().filter_map(|(at, row)| {
        let interval = row.low.zip(row.high);
        Some(Pair { name: name[at], measured: row.judged_by()?, predicted: row.y_hat?, interval })
    });
    let drawn: Vec<&PredictionRow> = rows.iter().filter(is_drawn).collect();
    let baselines: [Baseline<'_>; 2] =
        [("size", &|row| row.baseline_size), ("mean", &|row| row.baseline_mean)];
    let better = baselines.into_iter().filter_map(|(name, value)| {
        let on: Vec<(f64, f64, f64)> =
            drawn.iter().filter_map(|row| Some((row.measured?, value(row)?, row.error()?.abs()))).collect();
        better(name, &on)
    });
    Scatter {
        pairs: pairs.collect(),
        names,
        unit: rows.first().map_or_else(String::new, |row| row.unit.clone()),
        baselines: better.collect(),
        notes: vec![caption(rows)],
    }
}

/// A baseline: its name, and its value in a row.
type Baseline<'a> = (&'a str, &'a dyn Fn(&PredictionRow) -> Option<f64>);

/// The points of a baseline with smaller errors than the predictions, on the rows that have the baseline.
/// Other baselines appear only in the caption. A row is (measurement, baseline, absolute error of the
/// prediction).
pub(super) fn better(name: &str, rows: &[(f64, f64, f64)]) -> Option<BaselinePoints> {
    let own: f64 = rows.iter().map(|(.., error)| error).sum();
    let other: f64 = rows.iter().map(|(measured, value, _)| (value - measured).abs()).sum();
    let points = rows.iter().map(|(measured, value, _)| (*measured, *value)).collect();
    (other < own).then(|| BaselinePoints { name: name.into(), points })
}

/// The names that the colours stand for, and the index of each row's name. Colours stand for corpora, models
/// or families: the first of these with at least two and at most [`MOST_NAMES`] values.
fn colours(rows: &[PredictionRow]) -> (Vec<String>, Vec<usize>) {
    let keys: [fn(&PredictionRow) -> &str; 3] =
        [|row| &row.corpus, |row| &row.target_model, |row| &row.family];
    let of = |key: fn(&PredictionRow) -> &str| (names(rows, key), key);
    let found = keys.into_iter().map(of).find(|(names, _)| (2..=MOST_NAMES).contains(&names.len()));
    let Some((names, key)) = found else { return (vec![], vec![0; rows.len()]) };
    let at = |row: &PredictionRow| names.iter().position(|name| *name == key(row)).unwrap_or_default();
    let name = |name: &&str| if name.is_empty() { "unknown".into() } else { (*name).to_owned() };
    (names.iter().map(name).collect(), rows.iter().map(at).collect())
}

/// Rejects rows of several targets or units, because their errors cannot be averaged.
pub(super) fn one_kind(rows: &[PredictionRow]) -> Result<()> {
    let (columns, units) = (names(rows, |row| row.target.as_str()), names(rows, |row| row.unit.as_str()));
    if columns.len() <= 1 && units.len() <= 1 {
        return Ok(());
    }
    let reason = format!(
        "have several targets or units: {} in {}; make a separate report for each",
        columns.join(", "),
        units.join(", ")
    );
    Err(Error::Parameter { name: "the predictions", reason })
}

fn unit(rows: &[PredictionRow]) -> &str {
    rows.first()
        .map(|row| row.unit.as_str())
        .filter(|unit| !unit.is_empty())
        .unwrap_or("in the target's own unit")
}

/// The caption: number of rows, errors of predictions and baselines, coverage, number of refusals, and number
/// of models on which the card was trained.
pub(super) fn caption(rows: &[PredictionRow]) -> String {
    let outcomes: Vec<Outcome> = rows.iter().map(Into::into).collect();
    let summary = ErrorSummary::new(unit(rows), &outcomes);
    let targets = names(rows, |row| row.target_model.as_str()).len();
    let ErrorSummary { n_predicted: n, n_intervals, n_inside, .. } = summary;
    let mut caption = if n < rows.len() {
        format!("n = {n} predictions for {} rows of {targets} models, the other rows refused", rows.len())
    } else {
        format!("n = {n} predictions of {targets} models")
    };
    let trained_on = rows.iter().filter(|row| row.y_hat.is_some() && row.is_in_training()).count();
    let left_out = match trained_on {
        0 => String::new(),
        n => {
            format!("; errors and coverage exclude {n} predictions for models on which the card was trained")
        }
    };
    let Some(errors) = summary.errors() else {
        let others = if trained_on > 0 { "of the other rows" } else { "of which" };
        return format!("{caption}, none {others} was measured{left_out}.");
    };
    caption.push_str(&format!("; {errors}"));
    if n_intervals > 0 {
        caption.push_str(&format!("; {n_inside} of {n_intervals} measurements inside their interval"));
    }
    format!("{caption}{left_out}.")
}
