//! Prints the predictions of a study: an aligned table on a terminal, otherwise CSV.

use std::io::IsTerminal;

use super::table::{aligned, three};
use crate::calibration::PredictionRow;
use crate::cli::{TableBytes, TableFlags};
use crate::error::Result;

/// Writes predictions to the files in `flags`. Without files, prints an aligned table on a terminal,
/// otherwise CSV with all columns.
pub(in crate::cli) fn print_predictions(rows: &[PredictionRow], flags: &TableFlags) -> Result<()> {
    let csv = PredictionRow::to_bytes("predictions.csv".as_ref(), rows)?;
    let json = TableBytes::of_rows("predictions", rows)?.json;
    let shown = if std::io::stdout().is_terminal() { text(rows).into_bytes() } else { csv.clone() };
    flags.write(&TableBytes { csv, json }, &shown)
}

fn text(rows: &[PredictionRow]) -> String {
    let header =
        ["model", "corpus", "shots", "predicted", "low", "high", "measured", "mean", "size line", "status"];
    let mut table = vec![header.map(String::from).to_vec()];
    for row in rows {
        table.push(vec![
            row.target_model.clone(),
            row.corpus.clone(),
            row.shots.map_or("-".into(), |shots| shots.to_string()),
            three(row.y_hat),
            three(row.low),
            three(row.high),
            three(row.measured),
            three(row.baseline_mean),
            three(row.baseline_size),
            row.status.name().into(),
        ]);
    }
    aligned(&table)
}
