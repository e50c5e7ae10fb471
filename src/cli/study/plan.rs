//! `surmise plan`: shows what a study needs before it runs.

use super::opened::{ListingFlags, Opened};
use super::table::{aligned, bytes, time};
use crate::cli::{TableBytes, status};
use crate::error::Result;
use crate::study::{PlanRow, TaskKind, free_memory_bytes, plan};

pub(in crate::cli) fn run(flags: &ListingFlags, quiet: bool) -> Result<()> {
    let opened = flags.open(quiet)?;
    let Opened { study, tasks, folder, .. } = &opened;
    let rows = plan(study, tasks, folder)?;
    flags.table.write(&TableBytes::of_rows("plan", &rows)?, summary(&rows).as_bytes())?;
    if !quiet {
        let largest = rows.iter().map(|row| row.memory_bytes).max().unwrap_or(0);
        let memory = study.file.max_memory_bytes.unwrap_or_else(free_memory_bytes);
        status(&format!(
            "the largest task needs about {} of memory; {} are available",
            bytes(largest),
            bytes(memory)
        ));
        status(&format!("results: {}", folder.path().display()));
    }
    Ok(())
}

/// Formats a line for each kind of task and a line for the total.
fn summary(rows: &[PlanRow]) -> String {
    let header = ["tasks", "number", "to do", "requests", "tokens", "dollars", "time"];
    let mut table = vec![header.map(String::from).to_vec()];
    let kinds = [TaskKind::Measure, TaskKind::Ask, TaskKind::Collect, TaskKind::Check];
    let what = ["measure open models", "ask models here", "ask closed models", "check predictions"];
    for (kind, what) in kinds.into_iter().zip(what) {
        let own: Vec<&PlanRow> = rows.iter().filter(|row| row.kind == kind).collect();
        if !own.is_empty() {
            table.push(line(what, &own));
        }
    }
    table.push(line("all", &rows.iter().collect::<Vec<_>>()));
    aligned(&table)
}

fn line(what: &str, rows: &[&PlanRow]) -> Vec<String> {
    let left: Vec<&&PlanRow> = rows.iter().filter(|row| row.status != "done").collect();
    let calls: usize = left.iter().map(|row| row.calls).sum();
    let tokens: u64 = left.iter().map(|row| row.prompt_tokens + row.completion_tokens).sum();
    let usd = |of: fn(&PlanRow) -> Option<f64>| left.iter().filter_map(|row| of(row)).reduce(|a, b| a + b);
    let dollars = match usd(|row| row.usd_low).zip(usd(|row| row.usd_high)) {
        Some((low, high)) => format!("{low:.2} to {high:.2}"),
        None => "-".into(),
    };
    let threads = rayon::current_num_threads().max(1) as f64;
    let each = || left.iter().filter_map(|row| row.seconds);
    // The study takes at least as long as its longest task, which may be a batch that takes a day.
    let seconds =
        (each().sum::<f64>() / threads.min(left.len().max(1) as f64)).max(each().fold(0.0, f64::max));
    let is_known = left.iter().all(|row| row.seconds.is_some());
    let time = if is_known { time(seconds) } else { format!("{} plus API time", time(seconds)) };
    vec![
        what.into(),
        rows.len().to_string(),
        left.len().to_string(),
        calls.to_string(),
        tokens.to_string(),
        dollars,
        time,
    ]
}
