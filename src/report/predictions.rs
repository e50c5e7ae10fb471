//! `predictions`: predicted beside measured, in the unit of the target, with intervals and what such
//! intervals held in back-test, errors and baselines. A row of a model that the card was trained on has no
//! error.

use std::path::PathBuf;

use super::draw::scatter::{Pair, Scatter};
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
        "predictions with intervals beside what was measured; a scatter with the \
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
        let shown = [
            "target_model",
            "corpus",
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
        ];
        let mut table = Table::with_hidden(&shown, &["target", "in_training", "status", "note"]);
        for row in &rows {
            table.rows.push(vec![
                row.target_model.as_str().into(),
                row.corpus.as_str().into(),
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
                // A file without the column has predictions all the same.
                if row.y_hat.is_some() { "ok" } else { row.status.name() }.into(),
                row.note.as_str().into(),
            ]);
        }
        // Colours tell corpora apart, or targets where there is one corpus.
        let corpora = names(&rows, |row| row.corpus.as_str());
        let by_corpus = corpora.len() > 1;
        let named = if by_corpus { corpora } else { names(&rows, |row| row.target_model.as_str()) };
        let place = |row: &PredictionRow| {
            named.iter().position(|name| *name == if by_corpus { &row.corpus } else { &row.target_model })
        };
        let pairs: Vec<Pair> = rows
            .iter()
            .filter_map(|row| {
                let interval = row.low.zip(row.high);
                let measured = row.judged_by()?;
                Some(Pair { name: place(row)?, measured, predicted: row.y_hat?, interval })
            })
            .collect();
        let mut figures = vec![];
        if !pairs.is_empty() {
            let names = named.iter().map(|name| (*name).to_owned()).collect();
            figures.push((String::new(), Scatter { pairs, names, unit: unit(&rows).into() }.figure()?));
        }
        Ok(ReportContent { table, figures, caption: caption(&rows) })
    }
}

/// Errors of different things have no mean.
fn one_kind(rows: &[PredictionRow]) -> Result<()> {
    let (columns, units) = (names(rows, |row| row.target.as_str()), names(rows, |row| row.unit.as_str()));
    if columns.len() <= 1 && units.len() <= 1 {
        return Ok(());
    }
    let reason = format!("are of {} in {}; report one at a time", columns.join(", "), units.join(", "));
    Err(Error::Parameter { name: "the predictions", reason })
}

fn unit(rows: &[PredictionRow]) -> &str {
    rows.first()
        .map(|row| row.unit.as_str())
        .filter(|unit| !unit.is_empty())
        .unwrap_or("in the target's own unit")
}

/// n, errors beside the baselines' on the same rows, how many intervals held, how many predictions were
/// refused, and how many are of models that the card was trained on.
fn caption(rows: &[PredictionRow]) -> String {
    let outcomes: Vec<Outcome> = rows.iter().map(Into::into).collect();
    let summary = ErrorSummary::new(unit(rows), &outcomes);
    let targets = names(rows, |row| row.target_model.as_str()).len();
    let ErrorSummary { n_predicted: n, n_intervals, n_inside, .. } = summary;
    let mut caption = if n < rows.len() {
        format!("n = {n} predictions of {} for {targets} models, the others refused", rows.len())
    } else {
        format!("n = {n} predictions of {targets} models")
    };
    let trained_on = rows.iter().filter(|row| row.y_hat.is_some() && row.is_in_training()).count();
    let left_out = match trained_on {
        0 => String::new(),
        n => format!("; {n} of models that the card was trained on are left out of errors and intervals"),
    };
    let Some(errors) = summary.errors() else {
        let others = if trained_on > 0 { "of the others" } else { "of which" };
        return format!("{caption}, none {others} was measured{left_out}.");
    };
    caption.push_str(&format!("; {errors}"));
    if n_intervals > 0 {
        caption.push_str(&format!("; {n_inside} of {n_intervals} measurements inside their interval"));
    }
    format!("{caption}{left_out}.")
}
