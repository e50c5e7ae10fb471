//! `surmise merge`: merges the folders of shards into one.

use std::path::PathBuf;

use clap::Args;

use crate::cli::status;
use crate::error::{Error, Result};
use crate::study::merge::merge;

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    /// Folders of the finished runs `surmise run --shard I/N -o DIR`, one per shard
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Folder to merge into; `surmise run STUDY -o DIR` then predicts and reports
    #[arg(short, long, value_name = "DIR", required = true)]
    output: PathBuf,
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let left = merge(&flags.folders, &flags.output)?;
    if !quiet {
        let folder = flags.output.display();
        status(&format!("merged into {folder}; `surmise run STUDY -o {folder}` predicts and reports"));
    }
    if left.is_empty() {
        return Ok(());
    }
    let reason = format!(
        "{} tasks are unfinished in their shards; `surmise run` completes them: {}",
        left.len(),
        left.join(", ")
    );
    Err(Error::Gaps { reason })
}
