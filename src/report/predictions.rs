//! `predictions`: predicted beside measured, with intervals, errors and baselines.

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
    predicted: f64,
    low: Option<f64>,
    high: Option<f64>,
    measured: Option<f64>,
    size: Option<f64>,
    mean: Option<f64>,
}

impl Report for Predictions {
    fn name(&self) -> &'static str {
        "predictions"
    }

    fn summary(&self) -> &'static str {
        "predictions with intervals beside what was measured, of predictions.csv; a scatter with the identity line"
    }

    fn make(&self, inputs: &[PathBuf], choice: &Choice) -> Result<Made> {
        let mut rows: Vec<Row> = vec![];
        for input in inputs {
            let path = at(input, "predictions.csv");
            for (line, cells) in (2..).zip(csv_rows::<BTreeMap<String, String>>(&path)?) {
                let row = Row::new(&cells).map_err(|reason| Error::Csv { path: path.clone(), line, reason })?;
                rows.extend(row.filter(|row| choice.admits(&row.target, &row.corpus)));
            }
        }
        if rows.is_empty() {
            return Err(Choice::nothing(&inputs[0], "prediction"));
        }
        let mut table = Table::new(&[
            "target_model",
            "corpus",
            "predicted_nats",
            "low_nats",
            "high_nats",
            "measured_nats",
            "error_nats",
            "inside",
            "size_line_nats",
            "mean_nats",
        ]);
        for row in &rows {
            table.rows.push(vec![
                row.target.as_str().into(),
                row.corpus.as_str().into(),
                row.predicted.into(),
                row.low.into(),
                row.high.into(),
                row.measured.into(),
                row.measured.map(|measured| row.predicted - measured).into(),
                row.inside().map(|inside| if inside { "yes" } else { "no" }).into(),
                row.size.into(),
                row.mean.into(),
            ]);
        }
        // Colours tell corpora apart, or targets where there is one corpus.
        let corpora = names(&rows, |row| row.corpus.as_str());
        let by_corpus = corpora.len() > 1;
        let named = if by_corpus { corpora } else { names(&rows, |row| row.target.as_str()) };
        let place =
            |row: &Row| named.iter().position(|name| *name == if by_corpus { &row.corpus } else { &row.target });
        let pairs: Vec<Pair> = rows
            .iter()
            .filter_map(|row| {
                let interval = row.low.zip(row.high);
                Some(Pair { name: place(row)?, measured: row.measured?, predicted: row.predicted, interval })
            })
            .collect();
        let mut figures = vec![];
        if !pairs.is_empty() {
            let names = named.iter().map(|name| (*name).to_owned()).collect();
            figures.push((String::new(), Scatter { pairs, names, unit: "nats".into() }.figure()?));
        }
        Ok(Made { table, figures, caption: caption(&rows) })
    }
}

impl Row {
    /// `None` for a row whose prediction was refused, which has no value.
    fn new(cells: &BTreeMap<String, String>) -> std::result::Result<Option<Self>, String> {
        let text = |names: &[&str]| names.iter().find_map(|name| cells.get(*name));
        let number = |names: &[&str]| -> std::result::Result<Option<f64>, String> {
            match text(names).map(|cell| cell.trim()).filter(|cell| !cell.is_empty()) {
                None => Ok(None),
                Some(cell) => cell
                    .parse::<f64>()
                    .ok()
                    .filter(|value| value.is_finite())
                    .map(Some)
                    .ok_or_else(|| format!("has {cell:?} in column `{}`, which is no number; correct it", names[0])),
            }
        };
        let target = text(&["target_model"]).ok_or("has no column `target_model`; take a file of predictions")?;
        let Some(_) = text(&["emergence_nats", "y_hat"]) else {
            return Err("has neither a column `emergence_nats` nor `y_hat`; take a file of predictions".into());
        };
        let Some(predicted) = number(&["emergence_nats", "y_hat"])? else { return Ok(None) };
        Ok(Some(Self {
            target: target.clone(),
            corpus: text(&["corpus"]).cloned().unwrap_or_default(),
            predicted,
            low: number(&["low_nats", "low"])?,
            high: number(&["high_nats", "high"])?,
            measured: number(&["measured_nats", "measured"])?,
            size: number(&["baseline_nats", "baseline_size"])?,
            mean: number(&["mean_nats", "baseline_mean"])?,
        }))
    }

    fn inside(&self) -> Option<bool> {
        Some((self.low?..=self.high?).contains(&self.measured?))
    }
}

/// n, errors beside the baselines', coverage.
fn caption(rows: &[Row]) -> String {
    let error = |value: fn(&Row) -> Option<f64>| {
        let errors: Vec<f64> = rows.iter().filter_map(|row| Some((value(row)? - row.measured?).abs())).collect();
        let n = errors.len();
        (n > 0).then(|| errors.iter().sum::<f64>() / n as f64)
    };
    let targets = names(rows, |row| row.target.as_str()).len();
    let mut caption = format!("n = {} predictions of {targets} models", rows.len());
    let Some(own) = error(|row| Some(row.predicted)) else {
        return format!("{caption}, none of which was measured.");
    };
    caption.push_str(&format!("; mean absolute error {own:.3} nats"));
    for (name, value) in [("size line", error(|row| row.size)), ("mean", error(|row| row.mean))] {
        if let Some(value) = value {
            caption.push_str(&format!(", {name} {value:.3}"));
        }
    }
    let inside: Vec<bool> = rows.iter().filter_map(Row::inside).collect();
    if !inside.is_empty() {
        let n = inside.iter().filter(|inside| **inside).count();
        caption.push_str(&format!("; {n} of {} measurements inside their interval", inside.len()));
    }
    format!("{caption}.")
}
