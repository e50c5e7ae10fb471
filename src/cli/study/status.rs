//! `surmise status`: shows the progress of a study.

use super::opened::{ListingFlags, Opened};
use super::table::{aligned, time};
use crate::cli::TableBytes;
use crate::error::Result;
use crate::study::{StatusRow, TaskKind, status};

pub(in crate::cli) fn run(flags: &ListingFlags, quiet: bool) -> Result<()> {
    let Opened { study, tasks, folder, .. } = flags.open(quiet)?;
    let mut rows = status(&tasks, &folder);
    rows.iter_mut().for_each(|row| row.note = study.redacted(&row.note));
    flags.table.write(&TableBytes::of_rows("status", &rows)?, summary(&rows).as_bytes())
}

/// Formats the counts for each kind of task, then each running or failed task.
fn summary(rows: &[StatusRow]) -> String {
    let states = ["done", "running", "failed", "missing"];
    let mut table =
        vec![["tasks", "done", "running", "failed", "missing", "time so far"].map(String::from).to_vec()];
    for kind in [TaskKind::Measure, TaskKind::Ask, TaskKind::Collect, TaskKind::Check] {
        let own: Vec<&StatusRow> = rows.iter().filter(|row| row.kind == kind).collect();
        if own.is_empty() {
            continue;
        }
        let mut line = vec![kind.name().to_owned()];
        line.extend(states.map(|state| own.iter().filter(|row| row.status == state).count().to_string()));
        line.push(time(own.iter().filter_map(|row| row.seconds).fold(0.0, |sum, seconds| sum + seconds)));
        table.push(line);
    }
    let mut text = aligned(&table);
    for row in rows.iter().filter(|row| ["running", "failed"].contains(&row.status)) {
        text.push_str(&format!("\n{}: {}, {}\n", row.task, row.status, row.note));
    }
    text
}
