//! Makes the list of single graded answers: all of them, or a random sample if the page has no space for all.

use std::path::PathBuf;

use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::data::{cut, short, size};
use super::sources::Sources;
use crate::collect::grading::GradeKind;
use crate::collect::results::ItemRow;
use crate::seed;

/// Maximum bytes of an answer, and of the list of correct answers to a question.
const LONGEST: usize = 600;

/// The answers of all folders in at most `bytes` bytes: the folders, the names of the tasks, and one row for
/// each answer. A row contains the index of the folder, the index of the task, shots, grade, log-probability,
/// id of the item, answer, and correct answers.
pub(super) fn items(folders: &[PathBuf], sources: &Sources, bytes: usize) -> Value {
    let with_items: Vec<&PathBuf> =
        folders.iter().filter(|folder| folder.join("items.csv").is_file()).collect();
    let (mut tasks, mut rows, mut shares) = (vec![], vec![], vec![]);
    let most = bytes / with_items.len().max(1);
    for (number, folder) in with_items.into_iter().enumerate() {
        let path = folder.join("items.csv");
        let all: Vec<ItemRow> = sources.rows(&path);
        let (n, drawn) = (all.len(), drawn(&all, most, &sources.name(folder)));
        let shown = drawn.into_iter().map(|at| item(number, &all[at], &mut tasks));
        let before = rows.len();
        rows.extend(shown);
        shares.push(json!({
            "folder": sources.name(folder), "file": sources.name(&path), "n": n,
            "n_shown": rows.len() - before,
        }));
    }
    json!({"folders": shares, "tasks": tasks, "rows": rows})
}

/// The indices of the rows to show, in ascending order, so that they fit into `most` bytes. Rows are sampled
/// at random, with a seed from the name of the folder. Evenly spaced rows would not be representative,
/// because items are in the order of a design.
fn drawn(rows: &[ItemRow], most: usize, folder: &str) -> Vec<usize> {
    let mut tasks = vec![];
    let bytes: Vec<usize> = rows.iter().map(|row| size(&item(0, row, &mut tasks)) + 3).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    if bytes.iter().sum::<usize>() > most {
        order.shuffle(&mut seed::stream("html", folder, 0));
        let mut taken = 0;
        order.retain(|&at| {
            taken += bytes[at];
            taken <= most
        });
        order.sort_unstable();
    }
    order
}

fn item(folder: usize, row: &ItemRow, tasks: &mut Vec<String>) -> Value {
    let task = tasks.iter().position(|task| *task == row.task).unwrap_or_else(|| {
        tasks.push(row.task.clone());
        tasks.len() - 1
    });
    // The id of an item begins with the name of its task.
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

/// The grade: `right`, `wrong`, `partly right`, or the reason for a missing grade.
fn grade(row: &ItemRow) -> &'static str {
    match (row.kind, row.credit) {
        (GradeKind::Scored, Some(credit)) if credit >= 1.0 => "right",
        (GradeKind::Scored, Some(credit)) if credit <= 0.0 => "wrong",
        (GradeKind::Scored, _) => "partly right",
        (kind, _) => kind.name(),
    }
}
