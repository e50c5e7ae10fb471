//! Runs a whole study: the tasks, the predictions, the measurements that check them, and the reports.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::checked::Study;
use super::predict::{StudyPredictions, file_of, predict};
use super::progress::RunProgress;
use super::publish;
use super::results::StudyFolder;
use super::run::{RunSettings, TaskEnd, run_tasks};
use super::shard::{Shard, place};
use super::task::{StudyTask, Subject, TaskKind};
use crate::calibration::{ErrorSummary, Outcome};
use crate::disk;
use crate::emergence::semantic::SemanticProfile;
use crate::emergence::store;
use crate::error::{Error, Result};
use crate::observations::semantic::response;
use crate::report::{self, Selection};

/// Minimum interval between updates of the tables and of `study.json` while tasks run.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
/// The interval is also at least this many times the duration of the last update, because updates of a large
/// study take longer.
const SHOWN_SHARE: u32 = 20;

/// The result of a run of a study.
pub struct StudyEnd {
    /// How each task ended, by task id.
    pub tasks: BTreeMap<String, TaskEnd>,
    /// The predictions; `None` if only a part of the study ran or too few tasks succeeded.
    pub predictions: Option<StudyPredictions>,
    /// Notes on the result.
    pub notes: Vec<String>,
}

impl StudyEnd {
    /// The tasks that failed, with their errors.
    pub fn failed(&self) -> Vec<(&str, &Error)> {
        let failed = self.tasks.iter().filter_map(|(id, end)| match end {
            TaskEnd::Failed(error) => Some((id.as_str(), error)),
            _ => None,
        });
        failed.collect()
    }

    /// Errors of the predictions that have a measurement; `None` if no prediction has a measurement.
    pub fn summary(&self) -> Option<ErrorSummary> {
        let rows = &self.predictions.as_ref()?.predictions;
        let unit = rows.first()?.unit.clone();
        let outcomes: Vec<Outcome> = rows.iter().map(Into::into).collect();
        rows.iter().any(|row| row.measured.is_some()).then(|| ErrorSummary::new(&unit, &outcomes))
    }
}

/// The part of a study that one process runs. Only a run of the whole study makes predictions.
#[derive(Debug, Clone, Copy, Default)]
pub struct StudyPart {
    /// Run only the tasks of this shard.
    pub shard: Option<Shard>,
    /// Run only the tasks of this kind.
    pub kind: Option<TaskKind>,
}

impl StudyPart {
    /// Whether the part is the whole study.
    pub fn is_whole(&self) -> bool {
        self.shard.is_none() && self.kind.is_none()
    }

    /// The tasks of this part. Tasks that check predictions are excluded.
    pub fn tasks<'a>(&self, tasks: &'a [StudyTask]) -> Vec<&'a StudyTask> {
        let shards = self.shard.map(|shard| (place(tasks, shard.count), shard.index));
        let is_placed = |at: usize| shards.as_ref().is_none_or(|(all, index)| all[at] == *index);
        let is_kind = |task: &StudyTask| self.kind.is_none_or(|kind| task.kind == kind);
        let own = tasks.iter().enumerate().filter(|(_, task)| task.kind != TaskKind::Check);
        own.filter(|(at, task)| is_placed(*at) && is_kind(task)).map(|(_, task)| task).collect()
    }
}

/// Runs the unfinished tasks of a study. If `part` is the whole study, then makes predictions and reports
/// from all results in the folder.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write); errors of joining the results. Failures of tasks are in
/// [`StudyEnd`].
pub fn run_study(
    study: &Study,
    tasks: &[StudyTask],
    folder: &StudyFolder,
    part: StudyPart,
    settings: &RunSettings,
    progress: &RunProgress,
) -> Result<StudyEnd> {
    folder.create()?;
    disk::probe(folder.path())?;
    // The tasks that check predictions run after the predictions are made, but the progress includes them.
    let is_own = |task: &&StudyTask| folder.done(task).is_none();
    let to_do: Vec<&StudyTask> = match part.is_whole() {
        true => tasks.iter().filter(is_own).collect(),
        false => part.tasks(tasks).into_iter().filter(is_own).collect(),
    };
    progress.begin(to_do.len(), to_do.iter().map(|task| task.cost.seconds).sum());
    if !part.is_whole() {
        let own = part.tasks(tasks);
        let ends = run_tasks(study, &own, folder, settings, &|| (), progress)?;
        return Ok(StudyEnd { tasks: ends, predictions: None, notes: vec![] });
    }
    let before = part.tasks(tasks);
    // Write the existing results now, so that they can be read while the study runs.
    publish::record(study, tasks, None, &[], folder)?;
    let next = Mutex::new(Instant::now() + SHOWN_EVERY);
    let show = || {
        let Ok(mut next) = next.try_lock() else { return };
        let began = Instant::now();
        if began >= *next {
            // Ignore write errors here: the same files are written at the end, where an error is reported.
            publish::profiles(tasks, folder).unwrap_or_default();
            publish::record(study, tasks, None, &[], folder).unwrap_or_default();
            *next = Instant::now() + SHOWN_EVERY.max(SHOWN_SHARE * began.elapsed());
        }
    };
    let mut ends = run_tasks(study, &before, folder, settings, &show, progress)?;
    progress.stage("predictions");
    publish::profiles(tasks, folder)?;
    let mut notes = vec![];
    let mut made = match predict(study, tasks, folder) {
        // Too few tasks succeeded to fit a card. The errors of the failed tasks explain why.
        Err(Error::Study { reason }) if ends.values().any(|end| matches!(end, TaskEnd::Failed(_))) => {
            publish::record(study, tasks, None, &[], folder)?;
            return Ok(StudyEnd { tasks: ends, predictions: None, notes: vec![reason] });
        }
        made => made?,
    };
    notes.append(&mut made.notes);
    publish::predictions(&made, folder)?;
    // The predictions are on disk, so the weights of closed models may be measured now.
    let checks: Vec<&StudyTask> = tasks.iter().filter(|task| task.kind == TaskKind::Check).collect();
    ends.extend(run_tasks(study, &checks, folder, settings, &|| (), progress)?);
    progress.stage("reports");
    if !checks.is_empty() {
        check(study, &checks, folder, &mut made)?;
        publish::profiles(tasks, folder)?;
        publish::predictions(&made, folder)?;
    }
    publish::record(study, tasks, Some(&made), &notes, folder)?;
    reports(study, folder, made.predictions.len(), &mut notes)?;
    Ok(StudyEnd { tasks: ends, predictions: Some(made), notes })
}

/// Adds the measurements of the closed models to the predictions.
fn check(
    study: &Study,
    checks: &[&StudyTask],
    folder: &StudyFolder,
    made: &mut StudyPredictions,
) -> Result<()> {
    let column = &study.file.calibration.target.value;
    for task in checks {
        let (Subject::Weights { design, .. }, Some(done)) = (task.subject, folder.done(task)) else {
            continue;
        };
        let profile: SemanticProfile = store::read(&file_of(folder, &done)?)?;
        let corpus = &study.designs[design].category;
        let own = made.predictions.iter_mut();
        for row in own.filter(|row| row.target_model == task.model && row.corpus == *corpus) {
            row.measured = row.shots.and_then(|shots| response(&profile, shots, column));
        }
    }
    Ok(())
}

/// Writes the reports that the study names, as tables and figures in `report/`. A report that fails becomes a
/// note.
fn reports(study: &Study, folder: &StudyFolder, n_predictions: usize, notes: &mut Vec<String>) -> Result<()> {
    let own = folder.path().join("report");
    let mut kept: Vec<PathBuf> = vec![];
    for name in &study.file.reports {
        let report = report::find(&name.value)?;
        if report.name() == "predictions" && n_predictions == 0 {
            continue;
        }
        let input = report.input();
        if !input.at(folder.path()).is_file() {
            notes.push(format!("report {} was not written: {} is missing", report.name(), input.file));
            continue;
        }
        let written = report.make(&[folder.path().to_owned()], &Selection::default());
        match written.and_then(|made| made.write(report.name(), &own)) {
            Ok(files) => kept.extend(files),
            Err(error) => notes.push(format!("report {} was not written: {error}", report.name())),
        }
    }
    publish::keep_only(&own, &kept)?;
    if let Err(error) = report::html::write(folder.path(), &folder.path().join("report.html")) {
        notes.push(format!("report.html was not written: {error}"));
    }
    Ok(())
}
