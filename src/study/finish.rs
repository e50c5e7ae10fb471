//! A whole study: its tasks, then predictions, the measurements that check them, and reports.

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

/// How often the files for a reader are made again while tasks run: at most so often, and so that a share of
/// one in so many of the time goes into it, because it grows with the study.
const SHOWN_EVERY: Duration = Duration::from_secs(5);
const SHOWN_SHARE: u32 = 20;

/// What a run of a study gave.
pub struct StudyEnd {
    /// How each task ended, by id.
    pub tasks: BTreeMap<String, TaskEnd>,
    /// The predictions, unless this was a part.
    pub predictions: Option<StudyPredictions>,
    /// What to know of the result.
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

    /// Errors of the predictions that were checked; nothing if none was.
    pub fn summary(&self) -> Option<ErrorSummary> {
        let rows = &self.predictions.as_ref()?.predictions;
        let unit = rows.first()?.unit.clone();
        let outcomes: Vec<Outcome> = rows.iter().map(Into::into).collect();
        rows.iter().any(|row| row.measured.is_some()).then(|| ErrorSummary::new(&unit, &outcomes))
    }
}

/// The part of a study that a process does. Only the whole of it ends with predictions.
#[derive(Debug, Clone, Copy, Default)]
pub struct StudyPart {
    /// The tasks of one of several machines.
    pub shard: Option<Shard>,
    /// The tasks of one kind.
    pub kind: Option<TaskKind>,
}

impl StudyPart {
    /// Whether nothing is left out.
    pub fn is_whole(&self) -> bool {
        self.shard.is_none() && self.kind.is_none()
    }

    /// Its tasks, without those that check predictions.
    pub fn tasks<'a>(&self, tasks: &'a [StudyTask]) -> Vec<&'a StudyTask> {
        let shards = self.shard.map(|shard| (place(tasks, shard.count), shard.index));
        let is_placed = |at: usize| shards.as_ref().is_none_or(|(all, index)| all[at] == *index);
        let is_kind = |task: &StudyTask| self.kind.is_none_or(|kind| task.kind == kind);
        let own = tasks.iter().enumerate().filter(|(_, task)| task.kind != TaskKind::Check);
        own.filter(|(at, task)| is_placed(*at) && is_kind(task)).map(|(_, task)| task).collect()
    }
}

/// Runs what is missing of a study. A part of it does its own tasks and ends; the whole makes predictions of
/// all results that are there.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write); those of a join. The failure of a task is in [`StudyEnd`].
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
    if !part.is_whole() {
        let own = part.tasks(tasks);
        let ends = run_tasks(study, &own, folder, settings, &|| (), progress)?;
        return Ok(StudyEnd { tasks: ends, predictions: None, notes: vec![] });
    }
    let before = part.tasks(tasks);
    // What is there can be looked at while the study runs.
    publish::record(study, tasks, None, &[], folder)?;
    let next = Mutex::new(Instant::now() + SHOWN_EVERY);
    let show = || {
        let Ok(mut next) = next.try_lock() else { return };
        let began = Instant::now();
        if began >= *next {
            // What cannot be written now is an error at the end, where it is written again.
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
        // The tasks say why.
        Err(Error::Study { reason }) if ends.values().any(|end| matches!(end, TaskEnd::Failed(_))) => {
            publish::record(study, tasks, None, &[], folder)?;
            return Ok(StudyEnd { tasks: ends, predictions: None, notes: vec![reason] });
        }
        made => made?,
    };
    notes.append(&mut made.notes);
    publish::predictions(&made, folder)?;
    // Only now are the closed models opened that can be.
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

/// Fills in what was measured of the closed models.
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

/// Makes the reports that the study names, as tables and figures in `report/`. One that cannot be made is a
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
            notes.push(format!("no report {}: there is no {}", report.name(), input.file));
            continue;
        }
        let written = report.make(&[folder.path().to_owned()], &Selection::default());
        match written.and_then(|made| made.write(report.name(), &own)) {
            Ok(files) => kept.extend(files),
            Err(error) => notes.push(format!("no report {}: {error}", report.name())),
        }
    }
    publish::keep_only(&own, &kept)?;
    if let Err(error) = report::html::write(folder.path(), &folder.path().join("report.html")) {
        notes.push(format!("no page: {error}"));
    }
    Ok(())
}
