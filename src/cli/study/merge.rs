//! `surmise merge`: the folders of shards made into one.

use std::path::PathBuf;

use clap::Args;

use crate::cli::status;
use crate::error::{Error, Result};
use crate::study::merge::merge;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// The folders in which `surmise run --shard I/N -o DIR` ended, one for each shard
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// The folder of all; `surmise run STUDY -o DIR` then predicts and reports
    #[arg(short, long, value_name = "DIR", required = true)]
    output: PathBuf,
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let left = merge(&flags.folders, &flags.output)?;
    if !quiet {
        let folder = flags.output.display();
        status(&format!("joined in {folder}; `surmise run STUDY -o {folder}` predicts and reports"));
    }
    if left.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "{} tasks are not done in their shards, and `surmise run` does them: {}",
        left.len(),
        left.join(", ")
    );
    Err(Error::Gaps { reason })
}
