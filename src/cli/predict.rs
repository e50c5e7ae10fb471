//! `surmise predict`: predicts the rows of a table with a card.

use std::path::PathBuf;

use clap::Args;

use super::calibrate::conditions;
use super::table_input::TableInput;
use super::{Progress, TableBytes, TableFlags, status};
use crate::calibration::{Card, PredictionRow, PredictionSettings, Table};
use crate::error::{Error, Result};

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    input: TableInput,
    /// Card written by `surmise calibrate`; the table must contain the features of the card, but need not
    /// contain the target
    #[arg(long, alias = "card", value_name = "CARD")]
    calibration: PathBuf,
    /// Use only rows that meet a condition, such as family!=Llama; may be given several times
    #[arg(long = "where", value_name = "COL=VALUE")]
    conditions: Vec<String>,
    /// Nominal level of the intervals [default: the level of the card]
    #[arg(long, value_name = "P")]
    level: Option<f64>,
    /// Absolute error in the unit of the target; the column p_within reports the share of back-tested errors
    /// of at most this size
    #[arg(long, value_name = "ERROR")]
    within: Option<f64>,
    /// CSV file to write [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    table: TableFlags,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let path = flags.input.path();
    flags.table.check(flags.output.as_ref(), [&flags.calibration, &path])?;
    let bar = Progress::uncounted("predicting", quiet);
    let card = Card::read(&flags.calibration)?;
    let table = Table::read(&path)?.filter(&conditions(&flags.conditions)?)?;
    if table.is_empty() {
        return Err(Error::Parameter {
            name: "--where",
            reason: "leaves no row; change or remove a condition".into(),
        });
    }
    if flags.within.is_some_and(|within| !within.is_finite() || within < 0.0) {
        return Err(Error::Parameter {
            name: "--within",
            reason: "must be an absolute error of 0 or more".into(),
        });
    }
    let settings = PredictionSettings { level: flags.level.unwrap_or(card.level), within: flags.within };
    let predictions = card.predict_with(&table, settings)?;
    bar.finish();
    flags.table.write_to(flags.output.as_ref(), &TableBytes::of_rows("predictions", &predictions)?)?;
    let n = predictions.len();
    let missing = predictions.iter().filter(|prediction| prediction.y_hat.is_none()).count();
    if !quiet {
        status(&format!("{} of {n} rows predicted", n - missing));
        let known = |row: &&PredictionRow| row.y_hat.is_some() && row.is_in_training();
        let known = predictions.iter().filter(known).count();
        if known > 0 {
            status(&format!(
                "{known} of these rows belong to models that the card was trained on (in_training): their \
                 errors do not estimate the errors for other models, and `surmise report predictions` \
                 excludes these rows"
            ));
        }
        let short = predictions.iter().filter(|prediction| prediction.undercovers()).count();
        if short > 0 {
            status(&format!(
                "{short} of these rows have intervals whose back-tested coverage is WELL BELOW their level: \
                 use the column backtest_coverage instead of level"
            ));
        }
    }
    if missing == 0 {
        return Ok(());
    }
    let reason = format!("{missing} of {n} rows have no prediction; see the columns status and note");
    Err(Error::Gaps { reason })
}
