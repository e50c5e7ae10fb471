//! Single answers as they were graded: all of them, or some drawn at random where not all fit into the page.

use std::path::PathBuf;

use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::data::{cut, short, size};
use super::sources::Sources;
use crate::collect::grading::GradeKind;
use crate::collect::results::ItemRow;
use crate::seed;

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

/// Which rows are shown so that they fit into so many bytes, in their order. They are drawn at random, the
/// same ones for the same folder: items stand in the order of a design, and every k-th of them may be alike.
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
