//! Compares the calibration with rivals on public tables: every problem is a table with rows to predict,
//! surmise predicts them with default flags, and eleven rivals are fitted on the same rows.
//!
//! ```console
//! $ scripts/rivals-data rivals                                    # fetches the tables with git
//! $ cargo run --release --example rivals -- rivals                # prints the comparison
//! $ cargo run --release --example rivals -- rivals --half development
//! $ cargo run --release --example rivals -- rivals --problem sloth_c --csv rows.csv
//! $ cargo run --release --example rivals -- rivals --write        # writes docs/results/rivals.md
//! ```

mod answers;
mod frame;
mod methods;
mod page;
mod problem;
mod raw;
mod sources;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use clap::Parser;
use rayon::prelude::*;
use surmise::{Error, Result};

use problem::{Half, Problem, Task};
use summary::Summary;

#[derive(Debug, Parser)]
struct Opts {
    /// Folder of the fetched tables, as written by scripts/rivals-data
    folder: PathBuf,
    /// Half of the problems to compare [default: both]
    #[arg(long)]
    half: Option<Half>,
    /// Problems to compare; may be given several times [default: all]
    #[arg(long = "problem", value_name = "NAME", conflicts_with = "write")]
    problems: Vec<String>,
    /// CSV file with one row for each prediction
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write docs/results/rivals.md as well
    #[arg(long, conflicts_with = "half")]
    write: bool,
}

fn main() -> ExitCode {
    match run(&Opts::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(opts: &Opts) -> Result<()> {
    let start = Instant::now();
    let problems = problems(opts)?;
    let tasks: Vec<(&Problem, &Task)> =
        problems.iter().flat_map(|problem| problem.tasks.iter().map(move |task| (problem, task))).collect();
    let done = AtomicUsize::new(0);
    let answer = |(problem, task): &(&Problem, &Task)| {
        let answers = answers::answers(problem, task);
        let n = done.fetch_add(1, Ordering::Relaxed) + 1;
        if n.is_multiple_of(20) || n == tasks.len() {
            eprintln!("{n} of {} tasks, {:.0} s", tasks.len(), start.elapsed().as_secs_f64());
        }
        answers
    };
    let answers: Vec<_> = tasks.par_iter().map(answer).collect::<Result<Vec<_>>>()?.concat();
    if let Some(path) = &opts.csv {
        answers::write(path, &answers)?;
    }
    let summaries: Vec<(Half, Summary)> = problems
        .iter()
        .filter_map(|problem| Summary::new(problem, &answers).map(|summary| (problem.half, summary)))
        .collect();
    let tables = page::tables(&summaries);
    println!("{tables}");
    if opts.write {
        page::write(&tables)?;
    }
    Ok(())
}

/// The selected problems; the problems of the development half come first.
fn problems(opts: &Opts) -> Result<Vec<Problem>> {
    let mut problems = vec![];
    for (folder, source) in sources::ALL {
        let folder = opts.folder.join(folder);
        if !folder.is_dir() {
            let reason = format!("{} is missing; scripts/rivals-data fetches it", folder.display());
            return Err(Error::Parameter { name: "FOLDER", reason });
        }
        problems.extend(source(&folder)?);
    }
    let names: Vec<&str> = problems.iter().map(|problem| problem.name).collect();
    if let Some(name) = opts.problems.iter().find(|name| !names.contains(&name.as_str())) {
        let reason = format!("{name} is not a problem; the problems are {}", names.join(", "));
        return Err(Error::Parameter { name: "--problem", reason });
    }
    problems.retain(|problem| {
        let is_named = opts.problems.is_empty() || opts.problems.iter().any(|name| name == problem.name);
        is_named && opts.half.is_none_or(|half| half == problem.half)
    });
    if problems.is_empty() {
        let reason = "none of the named problems is in this half".into();
        return Err(Error::Parameter { name: "--half", reason });
    }
    Ok(problems)
}
