//! Writes the files for readers of a study: the profiles of the current study file and their tables,
//! observations, cards, predictions, and `study.json`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::checked::Study;
use super::predict::{StudyPredictions, file_of};
use super::results::StudyFolder;
use super::status::status;
use super::task::{StudyTask, TaskKind};
use crate::calibration::PredictionRow;
use crate::corpus::FactorialDesign;
use crate::disk::{self, Schema};
use crate::emergence::ProfileStore;
use crate::emergence::semantic::SemanticProfile;
use crate::error::{Error, Result};
use crate::report;

/// Copies the profiles of finished tasks into `profiles/` and writes their tables. Removes profiles of
/// earlier study files from `profiles/`; the originals stay below `tasks/`.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`]
pub(super) fn profiles(tasks: &[StudyTask], folder: &StudyFolder) -> Result<()> {
    let own = folder.path().join("profiles");
    disk::make_folder(&own)?;
    let mut wanted: BTreeSet<PathBuf> = BTreeSet::new();
    for task in tasks.iter().filter(|task| matches!(task.kind, TaskKind::Measure | TaskKind::Check)) {
        let Some(done) = folder.done(task) else { continue };
        let from = file_of(folder, &done)?;
        let to = own.join(from.file_name().unwrap_or_default());
        copy(&from, &to)?;
        wanted.insert(to);
    }
    let store = ProfileStore::new(&own);
    for file in store.files()? {
        if !wanted.contains(&file) {
            remove(&file)?;
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    store.write_table::<SemanticProfile>()?;
    store.write_rows("readings.csv", SemanticProfile::reading_rows)?;
    store.write_rows("summaries.csv", SemanticProfile::summary_rows)
}

/// Removes tables and figures that an earlier run wrote and this run did not.
///
/// # Errors
/// [`Error::Write`]
pub(super) fn keep_only(folder: &Path, kept: &[PathBuf]) -> Result<()> {
    const MADE: [&str; 5] = ["csv", "md", "tex", "svg", "pdf"];
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_made = path.extension().is_some_and(|of| MADE.iter().any(|extension| of == *extension));
        // Keep files that no report wrote.
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_report = report::ALL.iter().any(|report| name.starts_with(report.name()));
        if is_made && is_report && !kept.contains(&path) {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a file. A missing file is not an error, because another process may have removed it.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::Write { path: path.into(), source })
        }
        _ => Ok(()),
    }
}

/// Copies a file unless the target has the same content.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let read = |path: &Path| disk::read(path).map_err(|source| Error::Read { path: path.into(), source });
    let bytes = read(from)?;
    if disk::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    disk::write(to, &bytes)
}

/// Writes observations.csv, the cards and predictions.csv. Removes cards of earlier runs.
///
/// # Errors
/// [`Error::Write`]
pub(super) fn predictions(made: &StudyPredictions, folder: &StudyFolder) -> Result<()> {
    let file = |name: &str| folder.path().join(name);
    disk::write(&file("observations.csv"), &disk::csv_bytes(&file("observations.csv"), &made.observations)?)?;
    let name = |at: usize| if at == 0 { "card.json".into() } else { format!("card-{}.json", at + 1) };
    for (at, (card, _)) in made.cards.iter().enumerate() {
        card.write(&file(&name(at)))?;
    }
    for old in (made.cards.len()..).map(|at| file(&name(at))).take_while(|path| path.is_file()) {
        remove(&old)?;
    }
    let path = file("predictions.csv");
    disk::write(&path, &PredictionRow::to_bytes(&path, &made.predictions)?)
}

/// The content of `study.json`: settings, models, and the state of each task.
#[derive(Serialize)]
struct StudyRecord<'a> {
    schema: Schema,
    tool_version: &'static str,
    name: &'a str,
    /// SHA-256 of the study file.
    study_sha256: &'a str,
    seed: u64,
    settings: SettingsRecord<'a>,
    models: Vec<ModelRecord<'a>>,
    targets: Vec<TargetRecord<'a>>,
    tasks: Vec<TaskRecord<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SettingsRecord<'a> {
    estimand: &'static str,
    corpora: Vec<&'a str>,
    /// SHA-256 of the prompts of each corpus.
    designs_sha256: Vec<String>,
    shots: &'a [usize],
    sets: usize,
    queries: usize,
    form: &'a str,
    random_init: bool,
    tasks: Vec<&'a str>,
    target: &'a str,
    features: Vec<&'a str>,
    level: f64,
    sizes: bool,
}

#[derive(Serialize)]
struct ModelRecord<'a> {
    id: &'a str,
    family: Option<&'a str>,
    params_b: f64,
    weights_sha256: &'a str,
    source: &'a str,
}

#[derive(Serialize)]
struct TargetRecord<'a> {
    id: &'a str,
    family: Option<&'a str>,
    params_b: Option<f64>,
    model: &'a str,
    provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<&'a str>,
    /// Index of the card that predicts the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<usize>,
}

#[derive(Serialize)]
struct TaskRecord<'a> {
    id: &'a str,
    kind: TaskKind,
    model: &'a str,
    corpus: &'a str,
    key_sha256: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

/// Writes study.json and a copy of the study file.
///
/// # Errors
/// [`Error::Read`], [`Error::Write`]
pub(super) fn record(
    study: &Study,
    tasks: &[StudyTask],
    made: Option<&StudyPredictions>,
    notes: &[String],
    folder: &StudyFolder,
) -> Result<()> {
    let file = &study.file;
    let card_of = |id: &str| made?.cards.iter().position(|(_, ids)| ids.iter().any(|other| other == id));
    let rows = status(tasks, folder);
    let record = StudyRecord {
        schema: Schema::new("surmise-study", 1),
        tool_version: env!("CARGO_PKG_VERSION"),
        name: &file.name,
        study_sha256: &file.sha256,
        seed: file.seed,
        settings: SettingsRecord {
            estimand: "semantic",
            corpora: study.designs.iter().map(|design| design.category.as_str()).collect(),
            designs_sha256: study.designs.iter().map(FactorialDesign::sha256).collect(),
            shots: &file.design.shots,
            sets: file.design.sets,
            queries: file.design.queries,
            form: &file.design.form.value,
            random_init: file.design.random_init,
            tasks: file.design.tasks.iter().map(|task| task.value.as_str()).collect(),
            target: &file.calibration.target.value,
            features: file.calibration.features.iter().map(|feature| feature.value.as_str()).collect(),
            level: file.calibration.level,
            sizes: file.calibration.sizes,
        },
        models: study
            .models
            .iter()
            .map(|model| ModelRecord {
                id: &model.info.id,
                family: model.info.family.as_deref(),
                params_b: model.info.n_params as f64 / 1e9,
                weights_sha256: &model.info.weights_sha256,
                source: &model.name,
            })
            .collect(),
        targets: study
            .closed
            .iter()
            .map(|target| TargetRecord {
                id: &target.closed.id,
                family: target.closed.family.as_deref(),
                params_b: target.closed.params_b,
                model: &target.closed.model,
                provider: target.api.as_ref().map_or("served on this machine", |api| api.provider.name()),
                base_url: target.api.as_ref().map(|api| api.base_url.as_str()),
                card: card_of(&target.closed.id),
            })
            .collect(),
        tasks: tasks
            .iter()
            .zip(&rows)
            .map(|(task, row)| TaskRecord {
                id: &task.id,
                kind: task.kind,
                model: &task.model,
                corpus: &task.corpus,
                key_sha256: &task.key,
                status: row.status,
                seconds: row.seconds,
                note: &row.note,
            })
            .collect(),
        notes,
    };
    disk::write_json(&folder.path().join("study.json"), &record)?;
    let own = folder.path().join("study.toml");
    // If the study file is already in this folder, it is not written again.
    if disk::is_same(&file.path, &own) { Ok(()) } else { disk::write(&own, file.text.as_bytes()) }
}
