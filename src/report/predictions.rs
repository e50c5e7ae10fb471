//! `predictions`: predicted beside measured, in the unit of the target, with intervals and what such
//! intervals held in back-test, errors and baselines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::draw::scatter::{Pair, Scatter};
use super::read::{at, csv_rows, names};
use super::{Choice, Made, Report, Table};
use crate::error::{Error, Result};

pub(super) struct Predictions;

/// A row of predictions.csv, whichever verb wrote it.
struct Row {
    target: String,
    corpus: String,
    /// What is predicted: the column that a card was made for.
    column: String,
    unit: String,
    /// Absent where the prediction was refused.
    predicted: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    measured: Option<f64>,
    size: Option<f64>,
    mean: Option<f64>,
    level: Option<f64>,
    backtest_coverage: Option<f64>,
    regime: String,
}

impl Report for Predictions {
    fn name(&self) -> &'static str {
        "predictions"
    }

    fn summary(&self) -> &'static str {
        "predictions with intervals beside what was measured, of predictions.csv; a scatter with the \
         identity line"
    }

    fn make(&self, inputs: &[PathBuf], choice: &Choice) -> Result<Made> {
        let mut rows: Vec<Row> = vec![];
        for input in inputs {
            let path = at(input, "predictions.csv");
            for (line, cells) in (2..).zip(csv_rows::<BTreeMap<String, String>>(&path)?) {
                let row =
                    Row::new(&cells).map_err(|reason| Error::Csv { path: path.clone(), line, reason })?;
                rows.extend(Some(row).filter(|row| choice.admits(&row.target, &row.corpus)));
            }
        }
        if rows.is_empty() {
            return Err(Choice::nothing(&inputs[0], "prediction"));
        }
        one_kind(&rows)?;
        let mut table = Table::new(&[
            "target_model",
            "corpus",
            "unit",
            "predicted",
            "low",
            "high",
            "measured",
            "error",
            "inside",
            "size_line",
            "mean",
            "level",
            "backtest_coverage",
            "regime",
        ]);
        for row in &rows {
            table.rows.push(vec![
                row.target.as_str().into(),
                row.corpus.as_str().into(),
                row.unit.as_str().into(),
                row.predicted.into(),
                row.low.into(),
                row.high.into(),
                row.measured.into(),
                row.error().into(),
                row.inside().map(|inside| if inside { "yes" } else { "no" }).into(),
                row.size.into(),
                row.mean.into(),
                row.level.into(),
                row.backtest_coverage.into(),
                if row.predicted.is_some() { row.regime.as_str() } else { "refused" }.into(),
            ]);
        }
        // Colours tell corpora apart, or targets where there is one corpus.
        let corpora = names(&rows, |row| row.corpus.as_str());
        let by_corpus = corpora.len() > 1;
        let named = if by_corpus { corpora } else { names(&rows, |row| row.target.as_str()) };
        let place = |row: &Row| {
            named.iter().position(|name| *name == if by_corpus { &row.corpus } else { &row.target })
        };
        let pairs: Vec<Pair> = rows
            .iter()
            .filter_map(|row| {
                let interval = row.low.zip(row.high);
                Some(Pair { name: place(row)?, measured: row.measured?, predicted: row.predicted?, interval })
            })
            .collect();
        let mut figures = vec![];
        if !pairs.is_empty() {
            let names = named.iter().map(|name| (*name).to_owned()).collect();
            figures.push((String::new(), Scatter { pairs, names, unit: unit(&rows).into() }.figure()?));
        }
        Ok(Made { table, figures, caption: caption(&rows) })
    }
}

impl Row {
    fn new(cells: &BTreeMap<String, String>) -> std::result::Result<Self, String> {
        let text = |names: &[&str]| names.iter().find_map(|name| cells.get(*name));
        let number = |names: &[&str]| -> std::result::Result<Option<f64>, String> {
            match text(names).map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
                None => Ok(None),
                Some(cell) => {
                    cell.parse::<f64>().ok().filter(|value| value.is_finite()).map(Some).ok_or_else(|| {
                        format!("has {cell:?} in column `{}`, which is no number; correct it", names[0])
                    })
                }
            }
        };
        let target =
            text(&["target_model"]).ok_or("has no column `target_model`; take a file of predictions")?;
        let Some(_) = text(&["emergence_nats", "y_hat"]) else {
            return Err(
                "has neither a column `emergence_nats` nor `y_hat`; take a file of predictions".into()
            );
        };
        let word = |name: &str| cells.get(name).cloned().unwrap_or_default();
        let unit = if cells.contains_key("emergence_nats") { "nats".into() } else { word("unit") };
        Ok(Self {
            target: target.clone(),
            corpus: word("corpus"),
            column: word("target"),
            unit,
            predicted: number(&["emergence_nats", "y_hat"])?,
            low: number(&["low_nats", "low"])?,
            high: number(&["high_nats", "high"])?,
            measured: number(&["measured_nats", "measured"])?,
            size: number(&["baseline_nats", "baseline_size"])?,
            mean: number(&["mean_nats", "baseline_mean"])?,
            level: number(&["level"])?,
            backtest_coverage: number(&["backtest_coverage"])?,
            regime: word("regime"),
        })
    }

    fn error(&self) -> Option<f64> {
        Some(self.predicted? - self.measured?)
    }

    fn inside(&self) -> Option<bool> {
        Some((self.low?..=self.high?).contains(&self.measured?))
    }
}

/// Errors of different things have no mean.
fn one_kind(rows: &[Row]) -> Result<()> {
    let (columns, units) = (names(rows, |row| row.column.as_str()), names(rows, |row| row.unit.as_str()));
    if columns.len() <= 1 && units.len() <= 1 {
        return Ok(());
    }
    let reason = format!("are of {} in {}; report one at a time", columns.join(", "), units.join(", "));
    Err(Error::Parameter { name: "the predictions", reason })
}

fn unit(rows: &[Row]) -> &str {
    rows.first()
        .map(|row| row.unit.as_str())
        .filter(|unit| !unit.is_empty())
        .unwrap_or("in the target's own unit")
}

/// n, errors beside the baselines' on the same rows, how many intervals held, and how many predictions were
/// refused.
fn caption(rows: &[Row]) -> String {
    let predicted: Vec<&Row> = rows.iter().filter(|row| row.predicted.is_some()).collect();
    let targets = names(rows, |row| row.target.as_str()).len();
    let n = predicted.len();
    let mut caption = if n < rows.len() {
        format!("n = {n} predictions of {} for {targets} models, the others refused", rows.len())
    } else {
        format!("n = {n} predictions of {targets} models")
    };
    let error = |value: fn(&Row) -> Option<f64>| {
        let errors: Vec<f64> =
            predicted.iter().filter_map(|row| Some((value(row)? - row.measured?).abs())).collect();
        let n = errors.len();
        (n > 0).then(|| errors.iter().sum::<f64>() / n as f64)
    };
    let Some(own) = error(|row| row.predicted) else {
        return format!("{caption}, none of which was measured.");
    };
    caption.push_str(&format!("; mean absolute error {own:.3} {}", unit(rows)));
    for (name, value) in [("size line", error(|row| row.size)), ("mean", error(|row| row.mean))] {
        if let Some(value) = value {
            caption.push_str(&format!(", {name} {value:.3}"));
        }
    }
    let inside: Vec<bool> = predicted.iter().filter_map(|row| row.inside()).collect();
    if !inside.is_empty() {
        let n = inside.iter().filter(|inside| **inside).count();
        caption.push_str(&format!("; {n} of {} measurements inside their interval", inside.len()));
    }
    format!("{caption}.")
}
