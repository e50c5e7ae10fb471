//! `surmise scores`: imports scores of other tools.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{print, status};
use crate::disk;
use crate::error::Result;
use crate::import::{self, ImportOptions};

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    verb: ScoresVerb,
}

#[derive(Debug, Subcommand)]
enum ScoresVerb {
    /// Results of another tool (`surmise list importers`) as scores.csv
    Import(Import),
}

#[derive(Debug, Args)]
struct Import {
    /// Files that `surmise list importers` names; samples_*.jsonl alone need --model and --shots
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The CSV file; the provenance of the scores is written beside it as FILE.json. `-` is stdout, without
    /// provenance
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// METRIC or METRIC,FILTER [default: every accuracy, as TASK/METRIC,FILTER where a task has several]
    #[arg(long)]
    metric: Option<String>,
    /// The model's name in place of the file's
    #[arg(long)]
    model: Option<String>,
    /// The number of shots in place of the file's
    #[arg(long, value_name = "K")]
    shots: Option<usize>,
    /// Import runs on a part of a task, too
    #[arg(long)]
    limited: bool,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let ScoresVerb::Import(flags) = &flags.verb;
    let options = ImportOptions {
        metric: flags.metric.clone(),
        model: flags.model.clone(),
        shots: flags.shots,
        limited: flags.limited,
    };
    import::check_apart(&flags.files, &flags.output)?;
    let imported = import::import(&flags.files, &options)?;
    let path = &flags.output;
    let csv = disk::csv_bytes(path, &imported.scores)?;
    if path.as_os_str() == "-" {
        print(&csv)?;
    } else {
        let mut beside = path.clone().into_os_string();
        beside.push(".json");
        disk::write_json(beside.as_ref(), &imported.provenance)?;
        disk::write(path, &csv)?;
    }
    if !quiet {
        imported.notes.iter().for_each(|note| status(note));
        status(&format!("{} scores", imported.scores.len()));
    }
    Ok(())
}
