//! `surmise predict`: predictions of a card for the rows of a table.

use std::path::PathBuf;

use clap::Args;

use super::calibrate::conditions;
use super::{print, status};
use crate::calibration::{Card, PredictionRow, Table};
use crate::disk;
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Card of `surmise calibrate`
    #[arg(long, value_name = "CARD")]
    calibration: PathBuf,
    /// A CSV file with the features of the card; the target column need not be there
    #[arg(long, value_name = "FILE")]
    observations: PathBuf,
    /// Use only rows that meet a condition, such as family!=Llama; may be given several times
    #[arg(long = "where", value_name = "COL=VALUE")]
    conditions: Vec<String>,
    /// Level of the intervals [default: the card's]
    #[arg(long, value_name = "P")]
    level: Option<f64>,
    /// CSV file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let path = flags.output.as_ref().filter(|path| path.as_os_str() != "-");
    path.map_or(Ok(()), |path| disk::check_apart([&flags.calibration, &flags.observations], path))?;
    let card = Card::read(&flags.calibration)?;
    let table = Table::read(&flags.observations)?.filter(&conditions(&flags.conditions)?)?;
    if table.is_empty() {
        return Err(Error::Parameter { name: "--where", reason: "leaves no row".into() });
    }
    let predictions = card.predict(&table, flags.level.unwrap_or(card.level))?;
    let bytes = PredictionRow::to_bytes("predictions.csv".as_ref(), &predictions)?;
    match path {
        Some(path) => disk::write(path, &bytes)?,
        None => print(&bytes)?,
    }
    let n = predictions.len();
    let missing = predictions.iter().filter(|prediction| prediction.y_hat.is_none()).count();
    if !quiet {
        status(&format!("{} of {n} rows predicted", n - missing));
        let short = predictions.iter().filter(|prediction| prediction.undercovers()).count();
        if short > 0 {
            status(&format!(
                "{short} of them have intervals whose back-tested coverage is WELL BELOW their level: read \
                 backtest_coverage, not level"
            ));
        }
    }
    if missing == 0 {
        return Ok(());
    }
    let reason = format!("{missing} of {n} rows have no prediction; the columns status and note say why");
    Err(Error::Gaps { reason })
}
