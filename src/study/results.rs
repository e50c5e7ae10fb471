//! Manages the result folder of a study: the finished tasks, the failed tasks, and the files of each task.
//!
//! | path | contents |
//! |---|---|
//! | `tasks/KEY/` | one folder per task: `done.json`, `failed.json`, claims, and the measured profile |
//! | `answers/ID/` | the collection of one model: journal, items.csv, semantic.csv, summary.json |
//! | `scores/ID/` | the same for the tasks in addition to the designs |
//! | `profiles/` | the profiles of the current study file, and their tables |
//! | `observations.csv`, `card.json`, `predictions.csv` | observations, calibration and predictions |
//! | `study.json`, `study.toml`, `report/`, `report.html` | settings and state of the study, reports |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::claim::Claims;
use super::task::{StudyTask, TaskKind};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::seed;

/// Number of characters of the task hash in the name of a task folder.
const SHORT: usize = 16;

/// The file that marks a folder as the result folder of a study.
const MARK: &str = "tasks/README";
/// Name of the subfolder with one folder for each task.
const TASKS: &str = "tasks";

/// The result folder of a study.
#[derive(Debug, Clone)]
pub struct StudyFolder {
    path: PathBuf,
}

/// The record of a finished task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DoneRecord {
    schema: Schema,
    /// Id of the task.
    pub id: String,
    /// Kind of the task.
    pub kind: TaskKind,
    /// SHA-256 of all inputs that determine the result.
    pub key: String,
    /// The inputs that determine the result, by name.
    pub inputs: BTreeMap<String, String>,
    /// The files of the task.
    pub files: Vec<FileRecord>,
    /// Duration in seconds.
    pub seconds: f64,
    /// A note on the result; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A file of a finished task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path, relative to the result folder.
    pub path: String,
    /// SHA-256 of the content.
    pub sha256: String,
}

/// The record of a failed task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedRecord {
    schema: Schema,
    /// Id of the task.
    pub id: String,
    /// The error message.
    pub reason: String,
    /// Exit code that corresponds to the error.
    pub code: u8,
}

/// The state of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskState {
    /// The task is finished and its files are unchanged.
    Done(DoneRecord),
    /// A process works on the task.
    Running {
        /// Description of the process.
        holder: String,
    },
    /// The last attempt failed.
    Failed(FailedRecord),
    /// The task has not run yet.
    Missing,
}

impl StudyFolder {
    /// The result folder at this path. The folder need not exist.
    pub fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that results may be written here: the folder must be missing, empty, or the result folder of a
    /// study. Other files could be overwritten by results with the same name.
    ///
    /// # Errors
    /// [`Error::Parameter`] if results must not be written here.
    pub fn check(&self, study: &Path) -> Result<()> {
        let fault = |reason: String| Err(Error::Parameter { name: "-o", reason });
        let path = self.path.display();
        if self.path.exists() && !self.path.is_dir() {
            return fault(format!("is {path}, which is a file; choose a folder"));
        }
        let holds_study = study.canonicalize().ok().and_then(|file| Some(file.parent()?.to_owned()));
        if holds_study.is_some() && self.path.canonicalize().ok() == holds_study {
            return fault(format!("is {path}, the folder of the study file; choose a separate folder"));
        }
        // Check the mark last: another process that starts at the same time writes the mark before its other
        // files, so if there are other files, there is also a mark.
        if self.holds_no_results() || self.path.join(MARK).is_file() {
            return Ok(());
        }
        fault(format!("is {path}, which contains files that no study wrote; choose an empty or a new folder"))
    }

    /// Whether the folder is missing, is empty, or contains only files that [`create`](Self::create) writes.
    /// Another process may be in the middle of `create`.
    fn holds_no_results(&self) -> bool {
        let names = |path: &Path| -> Vec<String> {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        names(&self.path).iter().all(|name| name == TASKS)
            && names(&self.path.join(TASKS)).iter().all(|name| name == "README" || disk::is_temporary(name))
    }

    /// Creates the folder and its mark.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub fn create(&self) -> Result<()> {
        disk::make_folder(&self.path.join(TASKS))?;
        let mark = self.path.join(MARK);
        if mark.is_file() { Ok(()) } else { disk::write(&mark, b"Results of a study, by their hash.\n") }
    }

    /// The folder of a task.
    pub(super) fn of(&self, task: &StudyTask) -> PathBuf {
        self.path.join(TASKS).join(&task.key[..SHORT])
    }

    /// The folder of the answers of a model.
    pub(super) fn answers(&self, model: &str) -> PathBuf {
        self.path.join("answers").join(disk::id_in_file_names(model))
    }

    /// The folder of a model's scores on the tasks in addition to the designs.
    pub(super) fn scores(&self, model: &str) -> PathBuf {
        self.path.join("scores").join(disk::id_in_file_names(model))
    }

    /// The record of a finished task; `None` if it is missing or damaged, or if its files have changed.
    pub fn done(&self, task: &StudyTask) -> Option<DoneRecord> {
        let bytes = disk::read(self.of(task).join("done.json")).ok()?;
        let record: DoneRecord = serde_json::from_slice(&bytes).ok()?;
        let is_same = record.schema == done_schema() && record.key == task.key;
        let is_whole = |file: &FileRecord| {
            disk::read(self.path.join(&file.path)).is_ok_and(|bytes| seed::sha256_hex(&bytes) == file.sha256)
        };
        (is_same && record.files.iter().all(is_whole)).then_some(record)
    }

    /// The state of a task.
    pub fn state(&self, task: &StudyTask) -> TaskState {
        if let Some(record) = self.done(task) {
            return TaskState::Done(record);
        }
        if let Some(holder) = Claims::new(&self.of(task)).holder() {
            return TaskState::Running { holder };
        }
        let failed = disk::read(self.of(task).join("failed.json")).ok();
        let failed: Option<FailedRecord> = failed.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        failed.map_or(TaskState::Missing, TaskState::Failed)
    }

    /// Records a finished task with its files.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Write`]
    pub(super) fn finish(
        &self,
        task: &StudyTask,
        files: &[PathBuf],
        seconds: f64,
        note: String,
    ) -> Result<DoneRecord> {
        let file = |path: &PathBuf| {
            let bytes = disk::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
            let relative = path.strip_prefix(&self.path).unwrap_or(path);
            let path = relative.to_string_lossy().into_owned();
            Ok(FileRecord { path, sha256: seed::sha256_hex(&bytes) })
        };
        let record = DoneRecord {
            schema: done_schema(),
            id: task.id.clone(),
            kind: task.kind,
            key: task.key.clone(),
            inputs: task.inputs.iter().map(|(name, value)| ((*name).into(), value.clone())).collect(),
            files: files.iter().map(file).collect::<Result<_>>()?,
            seconds: (1000.0 * seconds).round() / 1000.0,
            note,
        };
        let folder = self.of(task);
        disk::write_json(&folder.join("done.json"), &record)?;
        // Remove the record of an earlier failure. An error is ignored, because `done.json` takes precedence.
        std::fs::remove_file(folder.join("failed.json")).unwrap_or_default();
        Ok(record)
    }

    /// Records why a task failed.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub(super) fn fail(&self, task: &StudyTask, reason: String, code: u8) -> Result<FailedRecord> {
        let schema = Schema::new("surmise-study-failure", 1);
        let record = FailedRecord { schema, id: task.id.clone(), reason, code };
        disk::write_json(&self.of(task).join("failed.json"), &record)?;
        Ok(record)
    }
}

fn done_schema() -> Schema {
    Schema::new("surmise-study-task", 1)
}
