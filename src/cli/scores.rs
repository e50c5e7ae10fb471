//! `surmise scores`: imports the scores of other tools, and exports collected answers for other tools.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::choice::listed;
use super::{Progress, TableBytes, TableFlags, is_stdout, put, status};
use crate::disk;
use crate::error::{Error, Result};
use crate::export::{self, Collected};
use crate::import::{self, ImportOptions};

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(subcommand)]
    verb: ScoresVerb,
}

#[derive(Debug, Subcommand)]
enum ScoresVerb {
    /// Convert results of other tools (`surmise list importers`) to scores.csv and items.csv
    Import(Import),
    /// Convert collected answers to the files of another tool (`surmise list exporters`)
    Export(Export),
}

#[derive(Debug, Args)]
struct Import {
    /// Result files (`surmise list importers` names them) or folders that contain them; samples_*.jsonl
    /// without a results file need --model and --shots
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// CSV file to write, with the provenance of the scores in FILE.json; `-` is stdout, without provenance
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["csv", "json"])]
    output: Option<PathBuf>,
    #[command(flatten)]
    table: TableFlags,
    /// File to write the answers of the input files to, in the format of items.csv; `-` is stdout
    #[arg(long, value_name = "FILE|-")]
    items: Option<PathBuf>,
    /// Metric or scorer to import; METRIC,FILTER for the lm-evaluation-harness [default: every metric that is
    /// a share of correct answers, named TASK/METRIC if a task has several]
    #[arg(long)]
    metric: Option<String>,
    /// Name of the model; replaces the name in the files
    #[arg(long)]
    model: Option<String>,
    /// Number of shots; replaces the number in the files
    #[arg(long, value_name = "K")]
    shots: Option<usize>,
    /// Also import runs that used only part of the items of a task
    #[arg(long)]
    limited: bool,
    /// Number of items of a task, for files that contain neither this number nor answers; may be given
    /// several times
    #[arg(long, value_name = "TASK=N", value_parser = task_items)]
    n_items: Vec<(String, usize)>,
}

/// Reads `TASK=N`.
fn task_items(text: &str) -> std::result::Result<(String, usize), String> {
    let malformed = || "must be a task and its number of items, such as 'MMLU=14042'".to_owned();
    let (task, n) = text.rsplit_once('=').filter(|(task, _)| !task.is_empty()).ok_or_else(malformed)?;
    let n = n.trim().parse().ok().filter(|n| (1..=1_000_000_000).contains(n)).ok_or_else(malformed)?;
    Ok((task.into(), n))
}

#[derive(Debug, Args)]
struct Export {
    /// Folder of collected answers, written by `surmise collect -o`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_name = "FORMAT", help = listed("Format", export::ALL.iter().map(|one| one.name())))]
    to: String,
    /// Folder for the output files
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    match &flags.verb {
        ScoresVerb::Import(flags) => import_files(flags, quiet),
        ScoresVerb::Export(flags) => export_folder(flags, quiet),
    }
}

fn import_files(flags: &Import, quiet: bool) -> Result<()> {
    let options = ImportOptions {
        metric: flags.metric.clone(),
        model: flags.model.clone(),
        shots: flags.shots,
        limited: flags.limited,
        n_items: flags.n_items.iter().cloned().collect(),
    };
    let output = flags.output.as_ref();
    for path in output.into_iter().chain(&flags.items) {
        import::check_apart(&flags.files, path)?;
    }
    flags.table.check(output, &flags.files)?;
    if let Some(items) = &flags.items {
        let provenance = output.map(|path| beside(path));
        let others = [output, provenance.as_ref(), flags.table.csv.as_ref(), flags.table.json.as_ref()];
        if others.contains(&Some(items)) {
            let reason = "names the same file as the scores; choose another file for the answers".into();
            return Err(Error::Parameter { name: "--items", reason });
        }
    }
    let bar = Progress::uncounted("importing", quiet);
    let imported = import::import(&flags.files, &options)?;
    bar.finish();
    if let Some(path) = output.filter(|path| !is_stdout(path)) {
        disk::write_json(&beside(path), &imported.provenance)?;
    }
    flags.table.write_to(output, &TableBytes::of_rows("scores", &imported.scores)?)?;
    if let Some(path) = &flags.items {
        put(path, &import::items_csv(&imported.items)?)?;
    }
    if !quiet {
        imported.notes.iter().for_each(|note| status(note));
        let (n_scores, n_items) = (imported.scores.len(), imported.items.len());
        let is_hinted = flags.items.is_none() && n_items > 0;
        let hint = if is_hinted { "; --items FILE writes the answers" } else { "" };
        status(&format!("{n_scores} scores, {n_items} answers{hint}"));
    }
    if imported.faults.is_empty() {
        return Ok(());
    }
    let reason =
        format!("some files or parts of files could not be imported:\n  {}", imported.faults.join("\n  "));
    Err(Error::Gaps { reason })
}

/// The file for the provenance of the scores.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".json");
    beside.into()
}

fn export_folder(flags: &Export, quiet: bool) -> Result<()> {
    let exporter = export::find(&flags.to)?;
    let bar = Progress::uncounted("converting", quiet);
    let collected = Collected::read(&flags.folder)?;
    let files = exporter.export(&collected)?;
    export::write(&flags.output, &files)?;
    bar.finish();
    if !quiet {
        collected.notes.iter().chain(&exporter.notes(&collected)).for_each(|note| status(note));
        for file in &files {
            status(&format!("wrote {}", flags.output.join(&file.path).display()));
        }
    }
    Ok(())
}
