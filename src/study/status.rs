//! How far a study is: each task with its state, from the folder alone.

use serde::Serialize;

use super::results::{StudyFolder, TaskState};
use super::task::{StudyTask, TaskKind};

/// A task and its state: a row of `surmise status --csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusRow {
    /// The task.
    pub task: String,
    /// What it does.
    pub kind: TaskKind,
    /// The model.
    pub model: String,
    /// The corpus; empty for all.
    pub corpus: String,
    /// `done`, `running`, `failed` or `missing`.
    pub status: &'static str,
    /// Seconds that it took, if it is done.
    pub seconds: Option<f64>,
    /// The process that works on it, why it failed, or what to know of its result.
    pub note: String,
}

/// The states of all tasks.
pub fn status(tasks: &[StudyTask], folder: &StudyFolder) -> Vec<StatusRow> {
    let row = |task: &StudyTask| {
        let (status, seconds, note) = match folder.state(task) {
            TaskState::Done(done) => ("done", Some(done.seconds), done.note),
            TaskState::Running { holder } => ("running", None, holder),
            TaskState::Failed(failed) => ("failed", None, failed.reason),
            TaskState::Missing => ("missing", None, String::new()),
        };
        StatusRow {
            task: task.id.clone(),
            kind: task.kind,
            model: task.model.clone(),
            corpus: task.corpus.clone(),
            status,
            seconds,
            note,
        }
    };
    tasks.iter().map(row).collect()
}
