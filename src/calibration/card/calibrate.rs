//! Calibrates: makes a card from a table.

use super::contents::{Card, TrainingRows};
use crate::calibration::intervals::method::check_level;
use crate::calibration::table::columns::ColumnRoles;
use crate::calibration::table::prepare::TrainingData;
use crate::calibration::table::sample::{Sample, distinct};
use crate::calibration::table::specification::CalibrationSpec;
use crate::calibration::table::stored_sample::StoredSample;
use crate::calibration::table::tidy::Table;
use crate::calibration::validation::backtest::{BacktestFolds, backtest};
use crate::calibration::validation::diagnostics::{Diagnostics, collinear};
use crate::calibration::validation::fit::fit;
use crate::calibration::validation::range::TrainingRange;
use crate::calibration::validation::regime::Regime;
use crate::calibration::validation::support::supports;
use crate::disk::Schema;
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

/// Maximum number of folds that leave out models or families, in the fit and in the back-test. With few rows,
/// many folds are cheap. With many rows, fewer and larger folds are equally informative.
pub(crate) fn most_folds(n: usize) -> (usize, BacktestFolds) {
    let backtest = |outer, new_family, inner| BacktestFolds { outer, new_family, inner };
    match n {
        0..=60 => (30, backtest(12, 5, 8)),
        61..=150 => (20, backtest(8, 4, 6)),
        151..=400 => (12, backtest(5, 3, 5)),
        401..=2000 => (8, backtest(4, 2, 4)),
        _ => (5, backtest(3, 2, 3)),
    }
}

/// Calibrates on the rows of a table whose target is known.
///
/// # Errors
/// [`Error::Csv`](crate::Error::Csv) or [`Error::Calibration`](crate::Error::Calibration) with the columns
/// and rows at fault; [`Error::Parameter`](crate::Error::Parameter) for an invalid flag.
pub fn calibrate(table: &Table, spec: &CalibrationSpec) -> Result<Card> {
    check_level(spec.level)?;
    let TrainingData { sample, columns, link, noise, mut notes } = spec.prepare(table)?;
    let (most, backtest_folds) = most_folds(sample.len());
    let (fit, scores, _) = fit(&sample, link, most, &Regime::ALL)?;
    let backtest = backtest(&sample, link, spec.level, backtest_folds)?;
    let support = supports(&fit, &scores, &backtest, &sample, link);
    notes.extend(collinearity_note(&collinear(&sample, &columns.features, &fit.basis)));
    let models = distinct(&sample.models);
    let card = Card {
        schema: Schema::new("card", 0),
        card_sha256: String::new(),
        target: spec.target.clone(),
        unit: spec.unit.clone(),
        level: spec.level,
        link,
        for_api: spec.for_api,
        rows: TrainingRows {
            n: sample.len(),
            n_models: models.len(),
            models,
            families: sample.known_families(),
            n_without_family: sample.n_without_family(),
            observations_sha256: hash(&sample, &columns)?,
        },
        support,
        range: TrainingRange::new(&sample, &fit.basis, link, most)?,
        diagnostics: Diagnostics { noise, ..Diagnostics::new(&sample, &columns.features, &fit)? },
        training: StoredSample::new(&sample),
        columns,
        fit,
        scores,
        backtest,
        notes,
    };
    card.with_checksum()
}

fn collinearity_note(features: &[String]) -> Option<String> {
    let (they, their) =
        if features.len() == 1 { ("is", "its coefficient") } else { ("are", "their coefficients") };
    (!features.is_empty()).then(|| {
        format!(
            "{} {they} collinear with earlier features of the list: only the penalty, not the data, \
             determines {their}",
            features.join(", ")
        )
    })
}

/// SHA-256 of the column roles as JSON, followed by the sorted rows as CSV: model, family, log10 size,
/// response, weight, the proxy's value and log10 size ratio if there is a proxy, features. Missing cells are
/// empty.
fn hash(sample: &Sample, columns: &ColumnRoles) -> Result<String> {
    let StoredSample { models, families, cells, .. } = StoredSample::new(sample);
    let names = models.iter().zip(families);
    let lines = names.zip(cells).map(|((model, family), cells)| format!("{model:?},{family:?},{cells}\n"));
    let header =
        serde_json::to_string(columns).map_err(|source| Error::Json { path: "card".into(), source })?;
    Ok(sha256_hex((header + "\n" + &lines.collect::<String>()).as_bytes()))
}
