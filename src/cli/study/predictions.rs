//! The predictions of a study on stdout: a table for a person, CSV for a program.

use std::io::IsTerminal;

use super::table::{aligned, three};
use crate::calibration::PredictionRow;
use crate::cli::print;
use crate::error::Result;

/// Prints predictions as CSV with every column where stdout is no terminal or `csv` asks for it, else as an
/// aligned table.
pub(in crate::cli) fn print_predictions(rows: &[PredictionRow], csv: bool) -> Result<()> {
    if csv || !std::io::stdout().is_terminal() {
        return print(&PredictionRow::to_bytes("predictions.csv".as_ref(), rows)?);
    }
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
    print(aligned(&table).as_bytes())
}
