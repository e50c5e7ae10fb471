//! Single answers as they were graded: all of them, or evenly spaced ones where not all fit into the page.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::data::{cut, short, size};
use super::sources::Sources;
use crate::collect::grading::GradeKind;
use crate::collect::results::ItemRow;

/// Most bytes of one answer, and of the right answers.
const LONGEST: usize = 600;

/// The answers of the folders in at most so many bytes: names of folders and tasks, and rows of folder, task,
/// shots, grade, log-probability, item, answer and right answers.
pub(super) fn items(folders: &[PathBuf], sources: &Sources, bytes: usize) -> Value {
    let with_items: Vec<&PathBuf> =
        folders.iter().filter(|folder| folder.join("items.csv").is_file()).collect();
    let (mut tasks, mut rows, mut shares) = (vec![], vec![], vec![]);
    let most = bytes / with_items.len().max(1);
    for (number, folder) in with_items.into_iter().enumerate() {
        let path = folder.join("items.csv");
        let all: Vec<ItemRow> = sources.rows(&path);
        let (n, step) = (all.len(), step(&all, most));
        let shown = all.into_iter().step_by(step).map(|row| item(number, &row, &mut tasks));
        let before = rows.len();
        rows.extend(shown);
        shares.push(json!({
            "folder": sources.name(folder), "file": sources.name(&path), "n": n, "n_shown": rows.len() - before,
        }));
    }
    json!({"folders": shares, "tasks": tasks, "rows": rows})
}

/// Every how many-th row is shown so that the rows fit into so many bytes.
fn step(rows: &[ItemRow], most: usize) -> usize {
    let mut tasks = vec![];
    let bytes: usize = rows.iter().map(|row| size(&item(0, row, &mut tasks)) + 3).sum();
    bytes.div_ceil(most.max(1)).max(1)
}

fn item(folder: usize, row: &ItemRow, tasks: &mut Vec<String>) -> Value {
    let task = tasks.iter().position(|task| *task == row.task).unwrap_or_else(|| {
        tasks.push(row.task.clone());
        tasks.len() - 1
    });
    // Ids of a task begin with its name.
    let id = row.id.strip_prefix(&row.task).and_then(|rest| rest.strip_prefix('/')).unwrap_or(&row.id);
    let gold: Option<Vec<String>> = serde_json::from_str(&row.gold).ok();
    let gold = gold.map_or_else(|| row.gold.clone(), |answers| answers.join(" | "));
    let id = if row.replicate == 0 { id.to_owned() } else { format!("{id} (answer {})", row.replicate + 1) };
    json!([
        folder,
        task,
        row.shots,
        grade(row),
        short(row.logprob_nats),
        cut(&id, LONGEST),
        cut(&row.answer, LONGEST),
        cut(&gold, LONGEST)
    ])
}

/// The grade in a word: `right`, `wrong`, `partly right`, or why there is none.
fn grade(row: &ItemRow) -> &'static str {
    match (row.kind, row.credit) {
        (GradeKind::Scored, Some(credit)) if credit >= 1.0 => "right",
        (GradeKind::Scored, Some(credit)) if credit <= 0.0 => "wrong",
        (GradeKind::Scored, _) => "partly right",
        (kind, _) => kind.name(),
    }
}
