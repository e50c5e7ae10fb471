//! `surmise scores`: imports scores of other tools.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{TableBytes, TableFlags, is_stdout, status};
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
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["csv", "json"])]
    output: Option<PathBuf>,
    #[command(flatten)]
    table: TableFlags,
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
    let output = flags.output.as_ref();
    output.map_or(Ok(()), |path| import::check_apart(&flags.files, path))?;
    flags.table.check(output, &flags.files)?;
    let imported = import::import(&flags.files, &options)?;
    if let Some(path) = output.filter(|path| !is_stdout(path)) {
        let mut beside = path.clone().into_os_string();
        beside.push(".json");
        disk::write_json(beside.as_ref(), &imported.provenance)?;
    }
    flags.table.write_to(output, &TableBytes::of_rows("scores", &imported.scores)?)?;
    if !quiet {
        imported.notes.iter().for_each(|note| status(note));
        status(&format!("{} scores", imported.scores.len()));
    }
    Ok(())
}
