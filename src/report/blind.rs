//! `blind`: hidden members, predicted and then measured, family by family.

use std::path::PathBuf;

use super::draw::scatter::{Pair, Scatter};
use super::read::{csv_rows, names};
use super::{Report, ReportContent, ReportInput, Selection, Table};
use crate::calibration::{ErrorSummary, Outcome};
use crate::error::{Error, Result};
use crate::study::blind::BlindRow;

pub(super) struct Blind;

/// blind.csv, with the columns of [`BlindRow`].
const BLIND: ReportInput = ReportInput {
    file: "blind.csv",
    columns: &[
        "target_model",
        "family",
        "n_params",
        "y_hat",
        "low",
        "high",
        "measured",
        "baseline_size",
        "baseline_mean",
        "noise_scale",
        "level",
        "regime",
        "note",
    ],
};

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

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        let mut rows: Vec<BlindRow> = vec![];
        for input in inputs {
            let all = csv_rows::<BlindRow>(&BLIND, input)?;
            let chosen = |row: &BlindRow| {
                selection.admits(&row.target_model, "")
                    && selection.noise_scale.is_none_or(|b| row.noise_scale == Some(b))
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
            "y_hat",
            "low",
            "high",
            "measured",
            "error",
            "inside",
            "baseline_size",
            "baseline_mean",
            "regime",
        ]);
        for row in &rows {
            table.rows.push(vec![
                row.target_model.as_str().into(),
                row.family.as_str().into(),
                row.n_params.into(),
                row.y_hat.into(),
                row.low.into(),
                row.high.into(),
                row.measured.into(),
                row.y_hat.map(|predicted| predicted - row.measured).into(),
                Outcome::from(row).is_inside().map(|inside| if inside { "yes" } else { "no" }).into(),
                row.baseline_size.into(),
                row.baseline_mean.into(),
                if row.y_hat.is_some() { row.regime.as_str() } else { "refused" }.into(),
            ]);
        }
        let families = names(&rows, |row| row.family.as_str());
        let pairs: Vec<Pair> = rows
            .iter()
            .filter_map(|row| {
                let name = families.iter().position(|family| *family == row.family)?;
                let interval = row.low.zip(row.high);
                Some(Pair { name, measured: row.measured, predicted: row.y_hat?, interval })
            })
            .collect();
        let mut figures = vec![];
        if !pairs.is_empty() {
            let names = families.iter().map(|name| (*name).to_owned()).collect();
            figures.push((String::new(), Scatter { pairs, names, unit: "nats".into() }.figure()?));
        }
        Ok(ReportContent { table, figures, caption: caption(&rows) })
    }
}

/// Errors at several precisions, intervals of several levels and one member counted twice have no common
/// mean.
fn one_kind(rows: &[BlindRow]) -> Result<()> {
    let first = &rows[0];
    let reason = if rows.iter().any(|row| row.noise_scale != first.noise_scale) {
        "were made at several precisions; choose one with --noise-scale".to_owned()
    } else if let Some(other) = rows.iter().find(|row| row.estimator != first.estimator) {
        format!("were measured by {} and by {}; report each by itself", first.estimator, other.estimator)
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
fn caption(rows: &[BlindRow]) -> String {
    let outcomes: Vec<Outcome> = rows.iter().map(Into::into).collect();
    let summary = ErrorSummary::new("nats", &outcomes);
    let ErrorSummary { n, n_predicted, n_intervals, n_inside, .. } = summary;
    let mut caption = format!("n = {n_predicted} of {n} hidden members predicted");
    if let Some(errors) = summary.errors() {
        let level = 100.0 * rows[0].level;
        let noise_scale = rows[0].noise_scale.map_or(String::new(), |b| format!("; b = {b}"));
        caption.push_str(&format!(
            "; {errors}; {n_inside} of {n_intervals} measurements inside their {level:.0} % \
             interval{noise_scale}"
        ));
    }
    let refused: Vec<String> = rows
        .iter()
        .filter(|row| row.y_hat.is_none())
        .map(|row| format!("{} ({})", row.target_model, row.note))
        .collect();
    let refused =
        if refused.is_empty() { String::new() } else { format!(" Refused: {}.", refused.join("; ")) };
    format!("{caption}.{refused}")
}
