//! The table that `calibrate` and `predict` read.

use std::path::PathBuf;

use clap::Args;

/// A tidy table.
#[derive(Debug, Args)]
pub(super) struct TableInput {
    /// A CSV file with a header, one observation per row, an empty cell where a value is missing
    #[arg(value_name = "TABLE", required_unless_present = "observations")]
    table: Option<PathBuf>,
    /// Now TABLE, without a flag
    #[arg(long, hide = true, value_name = "FILE", conflicts_with = "table")]
    observations: Option<PathBuf>,
}

impl TableInput {
    /// The file. One of both is required.
    pub(super) fn path(&self) -> PathBuf {
        self.table.clone().or_else(|| self.observations.clone()).unwrap_or_default()
    }
}
