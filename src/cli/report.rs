//! `surmise report`: makes tables and figures of results on disk, or one page of all results.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::choice::listed;
use super::{Progress, TableBytes, TableFlags, is_stdout, print, status};
use crate::disk;
use crate::emergence::SettingFilter;
use crate::error::{Error, Result};
use crate::names;
use crate::report::{self, Selection, html};

#[derive(Debug, Args)]
pub(super) struct Flags {
    #[arg(value_name = "NAME", help = listed("Report to make", report_names()))]
    name: String,
    /// Input files (`surmise list reports` names them) or folders that contain them; for html, one results
    /// folder
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Noise scale b of the estimator [default: 0.25, or 0.1 for profiles measured with --scale norm; if the
    /// profiles lack this scale, their smallest noise scale]
    #[arg(long, alias = "setting", value_name = "B")]
    noise_scale: Option<f64>,
    /// Show only this model; may be given several times [default: all]
    #[arg(long = "model", value_name = "NAME")]
    models: Vec<String>,
    /// Show only this corpus; may be given several times [default: all]
    #[arg(long = "corpus", value_name = "NAME")]
    corpora: Vec<String>,
    /// Show only profiles with this setting, such as n_windows=1000 or dtype=f32; NAME is a column of
    /// profiles.csv; may be given several times
    #[arg(long, value_name = "NAME=VALUE")]
    select: Vec<SettingFilter>,
    /// Format of the table on stdout; not allowed with -o, --csv or --json [default: csv]
    #[arg(long, value_enum, conflicts_with_all = ["output", "csv", "json"])]
    format: Option<Format>,
    #[command(flatten)]
    tables: TableFlags,
    /// Folder for the table (.csv, .tex, .md) and the figures (.svg, .pdf); for html, the file of the page
    /// [default for html: report.html in the results folder]
    #[arg(short, long, value_name = "DIR|FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// CSV (RFC 4180) with all digits
    Csv,
    /// LaTeX with booktabs and siunitx
    Tex,
    /// Markdown
    Md,
}

fn report_names() -> impl Iterator<Item = &'static str> {
    report::ALL.iter().map(|report| report.name()).chain([html::NAME])
}

pub(super) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    if names::is_same(&flags.name, html::NAME) {
        return page(flags, quiet);
    }
    let report = report::find(&flags.name).map_err(|error| match error {
        Error::Unknown { kind, name, .. } => {
            let known: Vec<&str> = report_names().collect();
            names::unknown(
                kind,
                &name,
                known.iter().copied(),
                &format!("the reports are {}", known.join(", ")),
            )
        }
        other => other,
    })?;
    let inputs: Vec<PathBuf> = flags.inputs.iter().map(|path| report.input().at(path)).collect();
    if let Some(folder) = &flags.output {
        disk::check_apart(&inputs, &folder.join(format!("{}.csv", report.name())))?;
    }
    flags.tables.check(None, &inputs)?;
    let selection = Selection {
        noise_scale: flags.noise_scale,
        models: flags.models.clone(),
        corpora: flags.corpora.clone(),
        settings: flags.select.clone(),
    };
    let bar = Progress::uncounted("drawing", quiet);
    let made = report.make(&flags.inputs, &selection)?;
    match &flags.output {
        Some(folder) => {
            let files = made.write(report.name(), folder)?;
            bar.finish();
            if !quiet {
                files.iter().for_each(|file| status(&file.display().to_string()));
            }
        }
        None if flags.tables.is_given() => {}
        None => print(&match flags.format.unwrap_or(Format::Csv) {
            Format::Csv => made.table.csv()?,
            Format::Tex => made.latex().into_bytes(),
            Format::Md => made.table.markdown(&made.caption).into_bytes(),
        })?,
    }
    if flags.tables.is_given() {
        let table = TableBytes::of_cells(report.name(), &made.table.columns, &made.table.values())?;
        flags.tables.write(&table, &[])?;
    }
    if !quiet {
        status(&made.caption);
    }
    Ok(())
}

/// Writes the page of a results folder. The page shows all results and has its own filters.
fn page(flags: &Flags, quiet: bool) -> Result<()> {
    let chosen = [
        ("--noise-scale", flags.noise_scale.is_some()),
        ("--model", !flags.models.is_empty()),
        ("--corpus", !flags.corpora.is_empty()),
        ("--select", !flags.select.is_empty()),
        ("--format", flags.format.is_some()),
        ("--csv", flags.tables.csv.is_some()),
        ("--json", flags.tables.json.is_some()),
    ];
    if let Some((name, _)) = chosen.into_iter().find(|(_, is_given)| *is_given) {
        let reason = "does not apply to html, whose page shows all results and contains its own filters; \
                      leave out this flag";
        return Err(Error::Parameter { name, reason: reason.into() });
    }
    let [folder] = flags.inputs.as_slice() else {
        let reason = format!("must be one results folder for html, but {} were given", flags.inputs.len());
        return Err(Error::Parameter { name: "the inputs", reason });
    };
    let bar = Progress::uncounted("reading results", quiet);
    let page = html::page(folder)?;
    bar.finish();
    if flags.output.as_deref().is_some_and(is_stdout) {
        print(&page.to_bytes())?;
        return gaps(&page);
    }
    let file = flags.output.clone().unwrap_or_else(|| folder.join(html::FILE));
    let file = if file.is_dir() { file.join(Path::new(html::FILE)) } else { file };
    page.write(&file)?;
    if !quiet {
        status(&file.display().to_string());
    }
    gaps(&page)
}

/// Returns an error that lists the problems of the page, if there are any.
fn gaps(page: &html::Page) -> Result<()> {
    match page.problems() {
        [] => Ok(()),
        problems => Err(Error::Gaps { reason: format!("the page is incomplete: {}", problems.join("; ")) }),
    }
}
