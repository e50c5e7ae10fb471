//! `blind`: hidden members, predicted and then measured, recipe by recipe.

use std::path::PathBuf;

use serde::Deserialize;

use super::draw::scatter::{Pair, Scatter};
use super::read::{csv_rows, names};
use super::{Made, Report, ReportInput, Selection, Table};
use crate::error::{Error, Result};

pub(super) struct Blind;

/// blind.csv, with the columns of [`Row`].
const BLIND: ReportInput = ReportInput {
    file: "blind.csv",
    columns: &[
        "target_model",
        "family",
        "n_params",
        "predicted_nats",
        "low_nats",
        "high_nats",
        "measured_nats",
        "size_line_nats",
        "mean_nats",
        "noise_scale",
        "level",
        "regime",
        "note",
    ],
};

/// The columns of blind.csv that are shown.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    target_model: String,
    family: String,
    n_params: usize,
    predicted_nats: Option<f64>,
    low_nats: Option<f64>,
    high_nats: Option<f64>,
    measured_nats: f64,
    size_line_nats: Option<f64>,
    mean_nats: f64,
    noise_scale: f64,
    level: f64,
    regime: String,
    note: String,
}

impl Row {
    fn inside(&self) -> Option<bool> {
        Some((self.low_nats?..=self.high_nats?).contains(&self.measured_nats))
    }
}

impl Report for Blind {
    fn name(&self) -> &'static str {
        "blind"
    }

    fn summary(&self) -> &'static str {
        "hidden members predicted beside what was measured when they were opened; a scatter \
         with the identity line"
    }

    fn input(&self) -> ReportInput {
        BLIND
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<Made> {
        let mut rows: Vec<Row> = vec![];
        for input in inputs {
            let all = csv_rows::<Row>(&BLIND, input)?;
            let chosen = |row: &Row| {
                selection.admits(&row.target_model, "")
                    && selection.noise_scale.is_none_or(|s| s == row.noise_scale)
            };
            rows.extend(all.into_iter().filter(chosen));
        }
        if rows.is_empty() {
            return Err(Selection::nothing(&BLIND.at(&inputs[0]), "row"));
        }
        one_kind(&rows)?;
        let mut table = Table::new(&[
            "target_model",
            "family",
            "n_params",
            "predicted_nats",
            "low_nats",
            "high_nats",
            "measured_nats",
            "error_nats",
            "inside",
            "size_line_nats",
            "mean_nats",
            "regime",
        ]);
        for row in &rows {
            table.rows.push(vec![
                row.target_model.as_str().into(),
                row.family.as_str().into(),
                row.n_params.into(),
                row.predicted_nats.into(),
                row.low_nats.into(),
                row.high_nats.into(),
                row.measured_nats.into(),
                row.predicted_nats.map(|predicted| predicted - row.measured_nats).into(),
                row.inside().map(|inside| if inside { "yes" } else { "no" }).into(),
                row.size_line_nats.into(),
                row.mean_nats.into(),
                if row.predicted_nats.is_some() { row.regime.as_str() } else { "refused" }.into(),
            ]);
        }
        let families = names(&rows, |row| row.family.as_str());
        let pairs: Vec<Pair> = rows
            .iter()
            .filter_map(|row| {
                let name = families.iter().position(|family| *family == row.family)?;
                let interval = row.low_nats.zip(row.high_nats);
                Some(Pair { name, measured: row.measured_nats, predicted: row.predicted_nats?, interval })
            })
            .collect();
        let mut figures = vec![];
        if !pairs.is_empty() {
            let names = families.iter().map(|name| (*name).to_owned()).collect();
            figures.push((String::new(), Scatter { pairs, names, unit: "nats".into() }.figure()?));
        }
        Ok(Made { table, figures, caption: caption(&rows) })
    }
}

/// Errors at several precisions, intervals of several levels and one member counted twice have no common
/// mean.
fn one_kind(rows: &[Row]) -> Result<()> {
    let first = &rows[0];
    let reason = if rows.iter().any(|row| row.noise_scale != first.noise_scale) {
        "were made at several precisions; choose one with --noise-scale".to_owned()
    } else if rows.iter().any(|row| row.level != first.level) {
        "have intervals of several levels; report each by itself".to_owned()
    } else if let Some(twice) = rows.iter().enumerate().find(|(at, row)| {
        rows[..*at]
            .iter()
            .any(|before| (&before.family, &before.target_model) == (&row.family, &row.target_model))
    }) {
        format!("hold {} twice; report each by itself", twice.1.target_model)
    } else {
        return Ok(());
    };
    Err(Error::Parameter { name: "the blind tests", reason })
}

/// n, errors beside the baselines' on the same members, coverage, and what was refused.
fn caption(rows: &[Row]) -> String {
    let predicted: Vec<&Row> = rows.iter().filter(|row| row.predicted_nats.is_some()).collect();
    let n = predicted.len();
    let mut caption = format!("n = {n} of {} hidden members predicted", rows.len());
    let error = |value: fn(&Row) -> Option<f64>| {
        let errors: Vec<f64> =
            predicted.iter().filter_map(|row| Some((value(row)? - row.measured_nats).abs())).collect();
        (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
    };
    if let Some(own) = error(|row| row.predicted_nats) {
        caption.push_str(&format!("; mean absolute error {own:.3} nats"));
    }
    for (name, value) in
        [("size line", error(|row| row.size_line_nats)), ("mean", error(|row| Some(row.mean_nats)))]
    {
        if let Some(value) = value {
            caption.push_str(&format!(", {name} {value:.3}"));
        }
    }
    let inside = predicted.iter().filter(|row| row.inside() == Some(true)).count();
    if let Some(row) = predicted.first() {
        let level = 100.0 * row.level;
        caption.push_str(&format!(
            "; {inside} of {n} measurements inside their {level:.0} % interval; b = {}",
            row.noise_scale
        ));
    }
    let refused: Vec<String> = rows
        .iter()
        .filter(|row| row.predicted_nats.is_none())
        .map(|row| format!("{} ({})", row.target_model, row.note))
        .collect();
    let refused =
        if refused.is_empty() { String::new() } else { format!(" Refused: {}.", refused.join("; ")) };
    format!("{caption}.{refused}")
}
