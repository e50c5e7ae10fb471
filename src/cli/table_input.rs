//! The table that `calibrate` and `predict` read.

use std::path::PathBuf;

use clap::Args;

/// The file of a tidy table.
#[derive(Debug, Args)]
pub(super) struct TableInput {
    /// CSV file with a header and one observation per row; an empty cell is a missing value
    #[arg(value_name = "TABLE", required_unless_present = "observations")]
    table: Option<PathBuf>,
    /// Now TABLE, without a flag
    #[arg(long, hide = true, value_name = "FILE", conflicts_with = "table")]
    observations: Option<PathBuf>,
}

impl TableInput {
    /// The path of the table. clap ensures that `table` or `observations` is given.
    pub(super) fn path(&self) -> PathBuf {
        self.table.clone().or_else(|| self.observations.clone()).unwrap_or_default()
    }
}
