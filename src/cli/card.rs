//! `surmise card`: describes a card.

use std::path::PathBuf;

use clap::Args;

use super::{TableBytes, TableFlags};
use crate::calibration::Card;
use crate::error::Result;
use crate::report::{self, Selection};

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Card file
    #[arg(value_name = "CARD")]
    card: PathBuf,
    // The table contains the back-tested errors of all candidates, like the table of `surmise report
    // calibration`.
    #[command(flatten)]
    table: TableFlags,
}

pub(super) fn run(flags: &Flags) -> Result<()> {
    let inputs = [flags.card.clone()];
    flags.table.check(None, &inputs)?;
    let card = Card::read(&flags.card)?;
    let table = report::find("calibration")?.make(&inputs, &Selection::default())?.table;
    let table = TableBytes::of_cells("candidates", &table.columns, &table.values())?;
    flags.table.write(&table, card.to_string().as_bytes())
}
