//! Report `blind`: predictions and measurements of hidden members, by family.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::draw::scatter::{MOST_NAMES, Pair, Scatter};
use super::predictions::better;
use super::read::{csv_rows, names};
use super::selection::KnownNames;
use super::{Report, ReportContent, ReportInput, Selection, Table};
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::study::blind::{BaselineError, BlindRow, BlindSummary};

pub(super) struct Blind;

/// blind.csv, with the columns of [`BlindRow`].
pub(super) const BLIND: ReportInput = ReportInput {
    file: "blind.csv",
    columns: &[
        "target_model",
        "family",
        "n_params",
        "corpus",
        "shots",
        "target",
        "unit",
        "y_hat",
        "low",
        "high",
        "measured",
        "baseline_mean",
        "baseline_shots",
        "baseline_size",
        "baseline_outside",
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
        "predictions of hidden members with their measurements; a scatter plot \
         with the identity line"
    }

    fn input(&self) -> ReportInput {
        BLIND
    }

    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent> {
        let (mut rows, mut known): (Vec<BlindRow>, _) = (vec![], KnownNames::default());
        for input in inputs {
            let all = csv_rows::<BlindRow>(&BLIND, input)?;
            all.iter().for_each(|row| known.add(&row.target_model, &row.corpus));
            let chosen = |row: &BlindRow| selection.admits(&row.target_model, &row.corpus);
            rows.extend(all.into_iter().filter(chosen));
        }
        selection.check(&known)?;
        if rows.is_empty() {
            return Err(Selection::nothing(&BLIND.at(&inputs[0]), "row"));
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
pub(super) fn table(rows: &[BlindRow]) -> Table {
    let mut table = Table::new(&[
        "target_model",
        "family",
        "n_params",
        "corpus",
        "shots",
        "y_hat",
        "low",
        "high",
        "measured",
        "error",
        "inside",
        "baseline_mean",
        "baseline_shots",
        "baseline_size",
        "baseline_outside",
        "regime",
    ]);
    for row in rows {
        table.rows.push(vec![
            row.target_model.as_str().into(),
            row.family.as_str().into(),
            row.n_params.into(),
            row.corpus.as_str().into(),
            row.shots.into(),
            row.y_hat.into(),
            row.low.into(),
            row.high.into(),
            row.measured.into(),
            row.y_hat.zip(row.measured).map(|(predicted, measured)| predicted - measured).into(),
            row.inside.map(|inside| if inside { "yes" } else { "no" }).into(),
            row.baseline_mean.into(),
            row.baseline_shots.into(),
            row.baseline_size.into(),
            row.baseline_outside.into(),
            if row.y_hat.is_some() { row.regime.as_str() } else { "refused" }.into(),
        ]);
    }
    table
}

/// The figure of the rows with a prediction and a measurement, coloured by family.
pub(super) fn scatter(rows: &[BlindRow]) -> Scatter {
    let families = names(rows, |row| row.family.as_str());
    let is_few = families.len() <= MOST_NAMES;
    let pairs = rows.iter().filter_map(|row| {
        let name = families.iter().position(|family| is_few && *family == row.family).unwrap_or_default();
        let interval = row.low.zip(row.high);
        Some(Pair { name, measured: row.measured?, predicted: row.y_hat?, interval })
    });
    let better = BlindSummary::BASELINES.iter().filter_map(|(name, value)| {
        let on = rows.iter().filter_map(|row| {
            let (measured, y_hat) = row.measured.zip(row.y_hat)?;
            Some((measured, value(row)?, (y_hat - measured).abs()))
        });
        better(name, &on.collect::<Vec<_>>())
    });
    Scatter {
        pairs: pairs.collect(),
        names: families.iter().filter(|_| is_few).map(|name| (*name).to_owned()).collect(),
        unit: rows.first().map_or_else(String::new, |row| row.unit.clone()),
        baselines: better.collect(),
        notes: vec![note(rows)],
    }
}

/// Rejects rows of several targets or levels, because their errors cannot be averaged, and duplicate rows.
pub(super) fn one_kind(rows: &[BlindRow]) -> Result<()> {
    let first = &rows[0];
    let key = |row: &BlindRow| (row.family.clone(), row.target_model.clone(), row.corpus.clone(), row.shots);
    let mut known = BTreeSet::new();
    let reason = if let Some(other) = rows.iter().find(|row| row.target != first.target) {
        format!("predict {} and {}; make a separate report for each", first.target, other.target)
    } else if rows.iter().any(|row| row.level != first.level) {
        "have intervals of several levels; make a separate report for each".to_owned()
    } else if let Some(twice) = rows.iter().find(|row| !known.insert(key(row))) {
        format!(
            "contain {} on {} with {} twice; make a separate report for each",
            twice.target_model,
            twice.corpus,
            count(twice.shots, "example")
        )
    } else {
        return Ok(());
    };
    Err(Error::Parameter { name: "the blind tests", reason })
}

/// Number of rows, errors and coverage, in the short form for the figure.
fn note(rows: &[BlindRow]) -> String {
    let summary = BlindSummary::new("all", &rows.iter().collect::<Vec<_>>());
    let Some(mae) = summary.mae else { return String::new() };
    let baseline = |b: &BaselineError| Some(format!("{} {:.3}", b.name, b.mae?));
    let baselines: Vec<String> = summary.baselines.iter().filter_map(baseline).collect();
    format!(
        "n = {} of {} rows of {} hidden members; mean absolute error {mae:.3} {} (baselines: {}); {} of {} \
         inside their {:.0} % interval",
        summary.n_predicted,
        summary.n,
        summary.n_members,
        rows[0].unit,
        baselines.join(", "),
        summary.n_inside,
        summary.n_intervals,
        100.0 * rows[0].level
    )
}

/// The caption: number of rows, errors of predictions and baselines on the same rows, coverage, and refusals.
pub(super) fn caption(rows: &[BlindRow]) -> String {
    let summary = BlindSummary::new("all", &rows.iter().collect::<Vec<_>>());
    let mut caption = format!("{}; {}", rows[0].target, summary.sentence(&rows[0].unit, rows[0].level));
    let n_refused = rows.iter().filter(|row| row.y_hat.is_none()).count();
    if let Some(row) = rows.iter().find(|row| row.y_hat.is_none()) {
        caption.push_str(&format!(
            ". Refused: {n_refused} of {} rows; the first is {} on {} ({})",
            rows.len(),
            row.target_model,
            row.corpus,
            row.note
        ));
    }
    caption + "."
}
