//! `surmise run`: runs the missing tasks of a study, predicts, and reports.

use std::sync::Arc;

use clap::Args;

use super::opened::{Opened, StudyFlags};
use super::{Display, Interrupts, print_predictions};
use crate::cli::choice::choice;
use crate::cli::{TableFlags, status};
use crate::error::{Error, Result};
use crate::model::parse_bytes;
use crate::study::{
    RunSettings, Shard, StudyEnd, StudyPart, TaskEnd, TaskKind, free_memory_bytes, merge, outside, run_study,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Flags {
    #[command(flatten)]
    study: StudyFlags,
    /// Run only the tasks of shard I of N, such as 2/4, to divide a study between N machines [default: from
    /// the environment variables SLURM_ARRAY_TASK_ID, _MIN and _COUNT, or JOB_COMPLETION_INDEX and
    /// SURMISE_SHARDS]
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Run only the tasks of one kind, and make no predictions
    #[arg(long, value_name = "KIND", value_parser = choice(&KINDS, TaskKind::name, describe))]
    only: Option<TaskKind>,
    /// Number of tasks to run at the same time [default: the number of threads]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Memory limit for all running tasks together, such as 6G [default: the limit in the study file, else 80
    /// % of the free memory]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    max_memory: Option<u64>,
    #[command(flatten)]
    table: TableFlags,
}

/// The kinds of tasks that run before the predictions.
const KINDS: [TaskKind; 3] = [TaskKind::Measure, TaskKind::Ask, TaskKind::Collect];

fn describe(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Measure => "Measure open models",
        TaskKind::Ask => "Query models on this machine",
        TaskKind::Collect => "Query closed models over the network",
        TaskKind::Check => "Measure closed models",
    }
}

pub(in crate::cli) fn run(flags: &Flags, quiet: bool) -> Result<()> {
    let shard = match flags.shard {
        Some(shard) => Some(shard),
        None => Shard::from_env(|name| std::env::var(name).ok())?,
    };
    flags.table.check(None, [&flags.study.study])?;
    let opened = flags.study.open(true, quiet)?;
    let Opened { study, tasks, folder, hub } = &opened;
    // A process that queries no closed model needs no API keys.
    let part = StudyPart { shard, kind: flags.only };
    let own = part.tasks(tasks);
    let asks = own.iter().filter(|task| task.kind == TaskKind::Collect && folder.done(task).is_none());
    study.check_keys(&asks.map(|task| task.model.as_str()).collect::<Vec<_>>())?;
    let memory_bytes = flags.max_memory.or(study.file.max_memory_bytes).unwrap_or_else(free_memory_bytes);
    let interrupts = Interrupts::start();
    let display = Display::start(quiet);
    let settings = RunSettings {
        hub,
        jobs: flags.jobs.map(usize::from),
        memory_bytes,
        waits: part.is_whole(),
        say: display.say.clone(),
        interrupt: Arc::new(move |stop| interrupts.add(stop)),
    };
    let progress = display.progress.clone();
    let end = run_study(study, tasks, folder, part, &settings, &progress);
    drop(display);
    let end = end?;
    if !quiet {
        said(&end, &opened);
    }
    if let Some(shard) = shard.filter(|_| flags.only.is_none()) {
        let is_left = |end: &TaskEnd| matches!(end, TaskEnd::Failed(_) | TaskEnd::Elsewhere(_));
        let left = end.tasks.iter().filter(|(_, end)| is_left(end)).map(|(id, _)| id.clone());
        merge::record(folder, tasks, shard, left.collect())?;
    }
    if let Some(made) = &end.predictions {
        print_predictions(&made.predictions, &flags.table)?;
    }
    result(end, shard)
}

/// Prints the status lines after a run.
fn said(end: &StudyEnd, opened: &Opened) {
    let count = |is: fn(&TaskEnd) -> bool| end.tasks.values().filter(|end| is(end)).count();
    let failed = end.failed();
    let mut parts = vec![format!("{} done", tasks_of(count(|end| matches!(end, TaskEnd::Done))))];
    for (n, what) in [
        (count(|end| matches!(end, TaskEnd::Kept)), "were done before"),
        (count(|end| matches!(end, TaskEnd::Elsewhere(_))), "are running in other processes"),
        (failed.len(), "failed"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    status(&parts.join(", "));
    for (id, error) in failed {
        status(&format!("{id}: {}", opened.study.redacted(&error.chain())));
    }
    end.notes.iter().for_each(|note| status(&format!("note: {note}")));
    if let Some(summary) = end.summary().filter(|summary| summary.n_predicted > 0) {
        status(&summary.sentence("rows", opened.study.file.calibration.level));
    }
    let made = end.predictions.iter().flat_map(|made| &made.predictions);
    outside(made).iter().for_each(|of| status(&format!("{}: {}", of.model, of.finding)));
    if end.predictions.is_some() {
        status(&format!("results: {}", opened.folder.path().display()));
    }
}

/// A number with the word "task" or "tasks".
fn tasks_of(n: usize) -> String {
    if n == 1 { "1 task".into() } else { format!("{n} tasks") }
}

/// Returns `Ok` if no task failed and no prediction is missing. If all failed tasks have the same exit code
/// and this code is above 3, returns the error of the first of these tasks. Otherwise returns an error about
/// the gaps.
fn result(end: StudyEnd, shard: Option<Shard>) -> Result<()> {
    let rows = end.predictions.as_ref().map(|made| made.predictions.as_slice()).unwrap_or_default();
    let (n, refused) = (rows.len(), rows.iter().filter(|row| row.y_hat.is_none()).count());
    let mut failed: Vec<Error> = end
        .tasks
        .into_values()
        .filter_map(|end| match end {
            TaskEnd::Failed(error) => Some(error),
            _ => None,
        })
        .collect();
    let codes: Vec<u8> = failed.iter().map(Error::exit_code).collect();
    match (failed.len(), refused) {
        (0, 0) => Ok(()),
        (0, refused) => {
            let reason = format!(
                "{refused} of {n} rows have no prediction; the columns status and note give the reason, and \
                 `surmise doctor` shows what to add"
            );
            Err(Error::Gaps { reason })
        }
        _ if codes.iter().all(|code| *code == codes[0] && *code > 3) => Err(failed.remove(0)),
        (n_failed, _) => {
            let what = if shard.is_some() { "of this shard " } else { "" };
            let reason = format!(
                "{} {what}failed; `surmise status` shows the reason, and the same command retries",
                tasks_of(n_failed)
            );
            Err(Error::Gaps { reason })
        }
    }
}
