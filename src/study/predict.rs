//! Predicts closed models: joins the results of tasks into observations, fits cards on the open models, and
//! applies them to the closed models.

use std::path::{Path, PathBuf};

use super::asking::semantic_scores;
use super::baselines::baselines;
use super::card::{SIZE, specification, unit};
use super::checked::Study;
use super::observed::{ObservedModel, observations};
use super::results::{DoneRecord, StudyFolder};
use super::task::{StudyTask, Subject, TaskKind};
use crate::calibration::{Card, Link, PredictionRow, Table, calibrate};
use crate::collect::Score;
use crate::collect::results::semantic::{FILE, SemanticScore};
use crate::disk;
use crate::emergence::semantic::SemanticProfile;
use crate::emergence::store;
use crate::error::{Error, Result};
use crate::model::checkpoint;

/// The predictions of a study.
pub struct StudyPredictions {
    /// The rows of observations.csv, header first.
    pub observations: Vec<Vec<String>>,
    /// The cards, each with the ids of the closed models that it predicts. Cards differ in their features.
    pub cards: Vec<(Card, Vec<String>)>,
    /// One row for each closed model, corpus and number of examples.
    pub predictions: Vec<PredictionRow>,
    /// Notes: omitted features, missing models, cards that could not be fitted.
    pub notes: Vec<String>,
}

/// A model and the results of its tasks.
struct Known {
    id: String,
    family: String,
    /// Number of parameters, if published.
    n_params: Option<usize>,
    /// Number of parameters, read from the weights if available. Only the size baseline uses this number.
    true_params: Option<usize>,
    answers: Vec<SemanticScore>,
    profiles: Option<Vec<SemanticProfile>>,
}

/// Joins all finished results, and predicts the closed models.
///
/// # Errors
/// Returns the errors of joining the results. A card that cannot be fitted is reported in a note.
pub fn predict(study: &Study, tasks: &[StudyTask], folder: &StudyFolder) -> Result<StudyPredictions> {
    let mut notes = vec![];
    let (known, scores) = known(study, tasks, folder, &mut notes)?;
    let models: Vec<ObservedModel> = known
        .iter()
        .map(|model| {
            let (run, is_last) = run_of(&model.id);
            ObservedModel {
                id: &model.id,
                family: &model.family,
                run,
                is_last,
                n_params: model.n_params,
                answers: &model.answers,
                profiles: model.profiles.as_deref(),
            }
        })
        .collect();
    if models.iter().all(|model| model.profiles.is_none()) {
        let reason = "no open model was measured; run `surmise status` to see why".into();
        return Err(Error::Study { reason });
    }
    let observations = observations(&models, &study.file.design.shots, study.file.calibration.sizes, scores)?;
    let path = Path::new("observations.csv");
    let table = Table::from_bytes(path, &disk::csv_bytes(path, &observations)?)?;
    let mut made = StudyPredictions { observations, cards: vec![], predictions: vec![], notes };
    for (features, targets) in groups(study, &table, &mut made.notes)? {
        let group = Group { study, table: &table, known: &known };
        let no_answers = || Error::Calibration {
            reason: "there are no answers from the model's API; `surmise status` shows why".into(),
        };
        let is_asked = targets.is_empty() || !features.is_empty();
        match if is_asked { group.predict(features, &targets) } else { Err(no_answers()) } {
            Ok((card, rows)) => {
                made.cards.push((card, targets));
                made.predictions.extend(rows);
            }
            Err(error @ (Error::Calibration { .. } | Error::Csv { .. })) => {
                let of =
                    if targets.is_empty() { String::new() } else { format!(" for {}", targets.join(", ")) };
                made.notes.push(format!("no card could be fitted{of}: {error}"));
                made.predictions.extend(group.refused(&targets, &error)?);
            }
            Err(error) => return Err(error),
        }
    }
    let order = |row: &PredictionRow| {
        let at = study.closed.iter().position(|target| target.closed.id == row.target_model);
        (at, row.corpus.clone(), row.shots)
    };
    made.predictions.sort_by_key(order);
    Ok(made)
}

/// The training run of a model, and whether the model is the last checkpoint of the run. Names such as
/// `run-step1000` and `owner/name@step1000` denote earlier checkpoints.
fn run_of(id: &str) -> (&str, bool) {
    if let Some((run, revision)) = id.split_once('@')
        && revision.starts_with("step")
    {
        return (run, false);
    }
    let (run, step) = checkpoint(id);
    (run, step.is_none())
}

fn known(
    study: &Study,
    tasks: &[StudyTask],
    folder: &StudyFolder,
    notes: &mut Vec<String>,
) -> Result<(Vec<Known>, Vec<Score>)> {
    let mut known: Vec<Known> = vec![];
    for model in &study.models {
        known.push(Known {
            id: model.info.id.clone(),
            family: model.info.family.clone().unwrap_or_default(),
            n_params: Some(model.info.n_params),
            true_params: Some(model.info.n_params),
            answers: vec![],
            profiles: None,
        });
    }
    for target in &study.closed {
        let closed = &target.closed;
        let published = closed.params_b.map(|params_b| (params_b * 1e9).round() as usize);
        known.push(Known {
            id: closed.id.clone(),
            family: closed.family.clone().unwrap_or_default(),
            n_params: published,
            true_params: target.weights.as_ref().map(|weights| weights.info.n_params).or(published),
            answers: vec![],
            profiles: None,
        });
    }
    let mut scores = vec![];
    for task in tasks {
        let at = match task.subject {
            Subject::Open { model, .. } | Subject::Questions { model } => model,
            Subject::Closed { target } => study.models.len() + target,
            // The weights of a closed model are measured only after the model was predicted.
            Subject::Weights { .. } => continue,
        };
        let done = folder.done(task);
        if done.is_none() {
            notes.push(match has_answers(task, folder) {
                true => format!("`{}` is incomplete; only its finished answers are used", task.id),
                false => format!("`{}` is not done, so its results are not used", task.id),
            });
        }
        match task.subject {
            _ if done.is_none() && !has_answers(task, folder) => {}
            Subject::Open { .. } => {
                let Some(done) = done else { continue };
                let mut profile: SemanticProfile = store::read(&file_of(folder, &done)?)?;
                // The join needs only the summaries; the readings of many models would fill the memory.
                profile.readings.clear();
                known[at].profiles.get_or_insert_default().push(profile);
            }
            _ => {
                known[at].answers = renamed(semantic_scores(&folder.answers(&task.model))?, &task.model);
                let file = folder.scores(&task.model).join("scores.csv");
                if !study.file.design.tasks.is_empty() && file.is_file() {
                    let own: Vec<Score> = disk::read_csv(&file, csv::Trim::None)?;
                    scores.extend(own.into_iter().map(|score| Score { model: task.model.clone(), ..score }));
                }
            }
        }
    }
    Ok((known, scores))
}

/// Whether an unfinished collection has some answers that can be used. For a model on this machine, an
/// unfinished collection is not used, because asking again is free.
fn has_answers(task: &StudyTask, folder: &StudyFolder) -> bool {
    task.kind == TaskKind::Collect && folder.answers(&task.model).join(FILE).is_file()
}

/// Replaces the name of the model in the API by its id in tables.
fn renamed(scores: Vec<SemanticScore>, id: &str) -> Vec<SemanticScore> {
    scores.into_iter().map(|score| SemanticScore { model: id.into(), ..score }).collect()
}

/// The profile that a measurement wrote.
pub(super) fn file_of(folder: &StudyFolder, done: &DoneRecord) -> Result<PathBuf> {
    let file = done.files.first().ok_or_else(|| Error::Study {
        reason: format!(
            "the record of `{}` lists no file; remove its folder below tasks/ and run it again",
            done.id
        ),
    })?;
    Ok(folder.path().join(&file.path))
}

/// The closed models, grouped by the features that are available for them.
fn groups(study: &Study, table: &Table, notes: &mut Vec<String>) -> Result<Vec<(Vec<String>, Vec<String>)>> {
    let wanted: Vec<String> =
        study.file.calibration.features.iter().map(|feature| feature.value.clone()).collect();
    // With one corpus, the column `corpus` is constant and carries no information.
    let is_constant = |name: &str| name == "corpus" && study.designs.len() == 1;
    let wanted: Vec<String> = wanted.into_iter().filter(|name| !is_constant(name)).collect();
    let models = table.text("target_model")?;
    let mut groups: Vec<(Vec<String>, Vec<String>)> = vec![];
    for target in &study.closed {
        let id = &target.closed.id;
        let rows: Vec<usize> = (0..table.len()).filter(|&row| models[row] == id).collect();
        let has = |name: &String| -> Result<bool> {
            let cells = if table.has(name) { table.text(name)? } else { return Ok(false) };
            Ok(rows.iter().any(|&row| !cells[row].is_empty()))
        };
        let mut features = vec![];
        let mut missing = vec![];
        for name in &wanted {
            if has(name)? { features.push(name.clone()) } else { missing.push(name.as_str()) }
        }
        if features.iter().all(|name| name == "corpus") {
            notes.push(format!("{id} has no answers, so it is not predicted"));
            groups.push((vec![], vec![id.clone()]));
            continue;
        }
        if !missing.is_empty() {
            notes.push(format!(
                "{id} is predicted without {}, which its API does not provide",
                missing.join(", ")
            ));
        }
        if study.file.calibration.sizes && target.closed.params_b.is_some() {
            features.push(SIZE.into());
        }
        match groups.iter_mut().find(|(other, _)| *other == features) {
            Some((_, ids)) => ids.push(id.clone()),
            None => groups.push((features, vec![id.clone()])),
        }
    }
    // If the study has no closed models, fit a card for later use.
    if study.closed.is_empty() {
        groups.push((wanted, vec![]));
    }
    Ok(groups)
}

/// The inputs to fit one card and predict a group of closed models.
struct Group<'a> {
    study: &'a Study,
    table: &'a Table,
    known: &'a [Known],
}

impl Group<'_> {
    /// Rows without a prediction for closed models, with the reason as their note.
    fn refused(&self, targets: &[String], why: &Error) -> Result<Vec<PredictionRow>> {
        let Self { study, table, .. } = self;
        let calibration = &study.file.calibration;
        let (models, corpora) = (table.text("target_model")?, table.text("corpus")?);
        let (families, shots) = (table.text("family")?, table.text("shots")?);
        let rows = (0..table.len()).filter(|&at| targets.iter().any(|id| id == models[at]));
        let row = |at: usize| PredictionRow {
            target_model: models[at].into(),
            family: families[at].into(),
            corpus: corpora[at].into(),
            shots: shots[at].parse().ok(),
            target: calibration.target.value.clone(),
            unit: unit(&calibration.target.value).into(),
            level: Some(calibration.level),
            note: why.to_string(),
            ..PredictionRow::default()
        };
        Ok(rows.map(row).collect())
    }

    fn predict(&self, features: Vec<String>, targets: &[String]) -> Result<(Card, Vec<PredictionRow>)> {
        let Self { study, table, known } = self;
        let calibration = &study.file.calibration;
        let target = &calibration.target.value;
        let models = table.text("target_model")?;
        let is_open = |id: &str| study.models.iter().any(|model| model.info.id == id);
        let values = table.numbers(target)?;
        // Rows without a measurement cannot be used for training.
        let is_known = |row: &usize| is_open(models[*row]) && values[*row].is_some();
        let open: Vec<usize> = (0..table.len()).filter(is_known).collect();
        let asked: Vec<usize> =
            (0..table.len()).filter(|&row| targets.iter().any(|id| id == models[row])).collect();
        let training = table.select(&open);
        let spec = specification(target, features, calibration.level, &training.numbers(target)?);
        let ignored: Vec<String> = if calibration.sizes { vec![] } else { vec![SIZE.into()] };
        let card = calibrate(&training.without(&ignored)?, &spec)?;
        if asked.is_empty() {
            return Ok((card, vec![]));
        }
        let mut rows = card.predict(&table.select(&asked), calibration.level)?;
        let sizes = models.iter().map(|id| {
            let n_params = known.iter().find(|model| model.id == *id).and_then(|model| model.true_params);
            n_params.map_or(f64::NAN, |n_params| (n_params.max(1) as f64).log10())
        });
        let sizes: Vec<f64> = sizes.collect();
        let link = spec.link.unwrap_or(Link::Identity);
        let beside = baselines(table, (target, link), &sizes, &open, &asked)?;
        for (row, beside) in rows.iter_mut().zip(beside) {
            row.baseline_mean = beside.mean.or(row.baseline_mean);
            row.baseline_size = beside.size.filter(|size| size.is_finite());
        }
        Ok((card, rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_of_a_run_are_told_from_its_last_one() {
        assert_eq!(run_of("factgpt-1-step1000"), ("factgpt-1", false));
        assert_eq!(run_of("owner/name@step1000"), ("owner/name", false));
        assert_eq!(run_of("owner/name@abc"), ("owner/name@abc", true));
        assert_eq!(run_of("factgpt-1"), ("factgpt-1", true));
    }
}
