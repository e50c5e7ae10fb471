//! Lists each task of a study with its state, which is read from the result folder.

use serde::Serialize;

use super::results::{StudyFolder, TaskState};
use super::task::{StudyTask, TaskKind};

/// A task and its state: a row of `surmise status --csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusRow {
    /// Id of the task.
    pub task: String,
    /// Kind of the task.
    pub kind: TaskKind,
    /// The model.
    pub model: String,
    /// The corpus; empty if the task covers all corpora.
    pub corpus: String,
    /// `done`, `running`, `failed` or `missing`.
    pub status: &'static str,
    /// Duration in seconds, if the task is done.
    pub seconds: Option<f64>,
    /// The process that works on the task, the error of a failed task, or a note on the result.
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
