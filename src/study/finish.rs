//! A whole study: its tasks, then predictions, the measurements that check them, and reports.

use std::collections::BTreeMap;
use std::path::PathBuf;

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
use crate::error::Result;
use crate::observations::semantic::response;
use crate::report::{self, Selection};

/// What a run of a study gave.
pub struct StudyEnd {
    /// How each task ended, by id.
    pub tasks: BTreeMap<String, TaskEnd>,
    /// The predictions, unless this was one of several shards.
    pub predictions: Option<StudyPredictions>,
    /// What to know of the result.
    pub notes: Vec<String>,
}

impl StudyEnd {
    /// The tasks that failed, with their errors.
    pub fn failed(&self) -> Vec<(&str, &crate::Error)> {
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

/// Runs what is missing of a study. A shard does its own tasks and ends; without one, the predictions are
/// made of all results that are there.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write); those of a join. The failure of a task is in [`StudyEnd`].
pub fn run_study(
    study: &Study,
    tasks: &[StudyTask],
    folder: &StudyFolder,
    shard: Option<Shard>,
    settings: &RunSettings,
    progress: &RunProgress,
) -> Result<StudyEnd> {
    disk::make_folder(folder.path())?;
    disk::probe(folder.path())?;
    let is_before = |task: &StudyTask| task.kind != TaskKind::Check;
    if let Some(shard) = shard {
        let shards = place(tasks, shard.count);
        let own = tasks.iter().zip(&shards).filter(|(task, at)| is_before(task) && **at == shard.index);
        let own: Vec<&StudyTask> = own.map(|(task, _)| task).collect();
        let ends = run_tasks(study, &own, folder, settings, progress)?;
        return Ok(StudyEnd { tasks: ends, predictions: None, notes: vec![] });
    }
    let before: Vec<&StudyTask> = tasks.iter().filter(|task| is_before(task)).collect();
    let mut ends = run_tasks(study, &before, folder, settings, progress)?;
    progress.stage("predictions");
    publish::profiles(tasks, folder)?;
    let mut notes = vec![];
    let mut made = predict(study, tasks, folder)?;
    notes.append(&mut made.notes);
    publish::predictions(&made, folder)?;
    // Only now are the closed models opened that can be.
    let checks: Vec<&StudyTask> = tasks.iter().filter(|task| task.kind == TaskKind::Check).collect();
    ends.extend(run_tasks(study, &checks, folder, settings, progress)?);
    progress.stage("reports");
    if !checks.is_empty() {
        check(study, &checks, folder, &mut made)?;
        publish::profiles(tasks, folder)?;
        publish::predictions(&made, folder)?;
    }
    publish::record(study, tasks, Some(&made), &notes, folder)?;
    reports(study, folder, &mut notes)?;
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
fn reports(study: &Study, folder: &StudyFolder, notes: &mut Vec<String>) -> Result<()> {
    let own = folder.path().join("report");
    let mut kept: Vec<PathBuf> = vec![];
    for name in &study.file.reports {
        let report = report::find(&name.value)?;
        let file = report.input().file;
        let places = [folder.path().join(file), folder.path().join("profiles").join(file)];
        let Some(input) = places.into_iter().find(|path| path.is_file()) else {
            notes.push(format!("no report {}: there is no {file}", report.name()));
            continue;
        };
        let written = report.make(&[input], &Selection::default());
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
