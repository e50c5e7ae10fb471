//! Explains why a closed model has no prediction or a wide interval, and suggests the cheapest remedy.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::checked::{ClosedTarget, Study};
use super::outside::{Outside, outside};
use super::results::StudyFolder;
use super::status::status;
use super::task::StudyTask;
use crate::calibration::{PredictionRow, PredictionStatus, Regime, Table};
use crate::corpus::DesignPrompts;
use crate::error::Result;
use crate::model::{Model, embedded};
use crate::numeric::shown::{count, fixed};

/// A finding about a closed model or the whole study.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Id of the model; empty if the finding is about the whole study.
    pub model: String,
    /// What is missing or wrong.
    pub finding: String,
    /// The cheapest remedy.
    pub remedy: String,
}

/// Minimum number of families. With fewer families, leave-one-family-out errors are a poor estimate of the
/// error on a new family.
const FAMILIES: usize = 3;
/// Minimum number of models per family.
const MODELS_OF_A_FAMILY: usize = 3;
/// An interval is wide if it covers more than this fraction of the range of the targets of the open models.
const WIDE: f64 = 0.8;
/// A measurement is coarse if the standard error of the share is larger than this.
const COARSE: f64 = 0.05;
/// A closed model is large if it has more than this many times the parameters of the largest open model.
const LARGE: f64 = 10.0;

/// Diagnoses a study from its file and its results.
///
/// # Errors
/// [`crate::Error::Read`], [`crate::Error::Csv`] and [`crate::Error::Json`] for damaged results.
pub fn doctor(study: &Study, tasks: &[StudyTask], folder: &StudyFolder) -> Result<Vec<Diagnosis>> {
    let mut found = Report::default();
    found.failures(tasks, folder);
    found.families(study);
    let path = |name: &str| folder.path().join(name);
    let mut span = None;
    if path("observations.csv").is_file() {
        let table = Table::read(&path("observations.csv"))?;
        found.precision(study, &table)?;
        span = span_of(study, &table)?;
    }
    let predictions = match path("predictions.csv").is_file() {
        true => PredictionRow::read(&path("predictions.csv"))?,
        false => vec![],
    };
    for target in &study.closed {
        let rows: Vec<&PredictionRow> =
            predictions.iter().filter(|row| row.target_model == target.closed.id).collect();
        found.target(study, target, &rows, span);
    }
    Ok(found.all)
}

/// The smallest and largest target among the open models.
fn span_of(study: &Study, table: &Table) -> Result<Option<(f64, f64)>> {
    let values = table.numbers(&study.file.calibration.target.value)?;
    let known = || values.iter().flatten().copied();
    Ok(known().reduce(f64::min).zip(known().reduce(f64::max)))
}

#[derive(Default)]
struct Report {
    all: Vec<Diagnosis>,
}

impl Report {
    fn add(&mut self, model: &str, finding: impl Into<String>, remedy: impl Into<String>) {
        let (finding, remedy) = (finding.into(), remedy.into());
        self.all.push(Diagnosis { model: model.into(), finding, remedy });
    }

    /// Reports failed, missing and running tasks.
    fn failures(&mut self, tasks: &[StudyTask], folder: &StudyFolder) {
        let (mut missing, mut running) = (0, 0);
        for row in status(tasks, folder) {
            match row.status {
                "failed" => {
                    let remedy = "fix the cause, or leave the model or corpus out of the study file; \
                                  `surmise run` retries the task";
                    self.add(&row.model, format!("`{}` failed: {}", row.task, row.note), remedy);
                }
                "missing" => missing += 1,
                "running" => running += 1,
                _ => {}
            }
        }
        if missing > 0 {
            let are = if missing == 1 { "is" } else { "are" };
            let finding = format!("{} {are} not done yet", count(missing, "task"));
            self.add("", finding, "run `surmise run` on the study file");
        }
        if running > 0 {
            let are = if running == 1 { "is" } else { "are" };
            self.add("", format!("{} {are} running", count(running, "task")), "wait for them");
        }
    }

    /// Reports too few families, and families with too few models.
    fn families(&mut self, study: &Study) {
        let mut families: BTreeMap<&str, usize> = BTreeMap::new();
        for model in &study.models {
            *families.entry(model.info.family.as_deref().unwrap_or_default()).or_default() += 1;
        }
        if families.len() < FAMILIES {
            let names: Vec<&str> = families.keys().copied().collect();
            let from = match other_family(study) {
                Some(name) => format!(
                    "the embedded models cost least (family = \"{name}\", models = [\"{name}-?\"]), and \
                     models from the Hugging Face hub are closer to real closed models"
                ),
                None => "take them from the Hugging Face hub, from folders or from GGUF files".into(),
            };
            self.add(
                "",
                format!("the open models come from too few families: {}", names.join(", ")),
                format!(
                    "add models of {}: with fewer than {FAMILIES} families, the error on a new family cannot \
                     be estimated; {from}",
                    count(FAMILIES - families.len(), "other family")
                ),
            );
        }
        for (family, n) in families.iter().filter(|(_, n)| **n < MODELS_OF_A_FAMILY) {
            self.add(
                "",
                format!("the family {family} has {}", count(*n, "open model")),
                "add other sizes of the family, or earlier checkpoints (owner/name@step1000)",
            );
        }
    }

    /// Reports measurements with large standard errors.
    fn precision(&mut self, study: &Study, table: &Table) -> Result<()> {
        let models = table.text("target_model")?;
        let (corpora, shots) = (table.text("corpus")?, table.text("shots")?);
        let errors = table.numbers("semantic_share_mean_stderr")?;
        let coarse = (0..table.len()).filter(|&at| errors[at].is_some_and(|error| error > COARSE));
        let coarse: Vec<usize> = coarse.collect();
        let worst = coarse
            .iter()
            .max_by(|a, b| errors[**a].unwrap_or_default().total_cmp(&errors[**b].unwrap_or_default()));
        if let Some(&at) = worst {
            let design = &study.file.design;
            self.add(
                "",
                format!(
                    "{} of {} measurements have a standard error above {COARSE}; the largest is {:.3}, of {} \
                     on {} with {}",
                    coarse.len(),
                    table.len(),
                    errors[at].unwrap_or_default(),
                    models[at],
                    corpora[at],
                    if shots[at] == "1" { "1 example".into() } else { format!("{} examples", shots[at]) }
                ),
                format!(
                    "raise `queries` above {} or `sets` above {} in [design]; the time grows with both",
                    design.queries, design.sets
                ),
            );
        }
        Ok(())
    }

    /// Reports findings about one closed model.
    fn target(
        &mut self,
        study: &Study,
        target: &ClosedTarget,
        rows: &[&PredictionRow],
        span: Option<(f64, f64)>,
    ) {
        let id = &target.closed.id;
        let known: BTreeSet<&str> =
            study.models.iter().filter_map(|model| model.info.family.as_deref()).collect();
        match target.closed.family.as_deref() {
            None => self.add(
                id,
                "the family of this model is unknown, so the card treats it as a new family",
                "set `family` in its [[closed]] table if it is published",
            ),
            Some(family) if !known.contains(family) => self.add(
                id,
                format!("no open model belongs to the family {family} of this model"),
                "add smaller open models of this family if there are any; otherwise the model \
                 gets the interval of a new family",
            ),
            Some(_) => {}
        }
        let largest = study.models.iter().map(|model| model.info.n_params).max().unwrap_or(1) as f64 / 1e9;
        if let Some(params_b) = target.closed.params_b.filter(|params_b| *params_b > LARGE * largest) {
            self.add(
                id,
                format!(
                    "this model has {params_b} billion parameters, {:.0} times the size of the largest open \
                     model",
                    params_b / largest
                ),
                "add larger open models; the cheapest step is one model with ten times the parameters of the \
                 largest open model",
            );
        }
        if rows.is_empty() {
            self.add(id, "there is no prediction yet", "run `surmise run` on the study file");
        }
        let refused: BTreeMap<&str, &PredictionRow> = rows
            .iter()
            .filter(|row| row.status == PredictionStatus::Unsupported)
            .map(|row| (row.note.as_str(), *row))
            .collect();
        for (note, row) in refused {
            self.add(id, format!("no prediction: {note}"), remedy_of(row, study));
        }
        for Outside { finding, .. } in outside(rows.iter().copied()) {
            self.add(
                id,
                finding,
                "do not trust these predictions: the answers of this model differ from the answers of the \
                 open models; add open models that answer similarly",
            );
        }
        let Some((low, high)) = span else { return };
        let wide = rows
            .iter()
            .filter(|row| row.low.zip(row.high).is_some_and(|(from, to)| to - from > WIDE * (high - low)));
        let n_wide = wide.count();
        if n_wide > 0 {
            self.add(
                id,
                format!(
                    "{n_wide} of {} intervals cover most of the range of the open models, {} to {}",
                    rows.len(),
                    fixed(low, 2),
                    fixed(high, 2)
                ),
                format!(
                    "add more similar open models: there are {} now, and the width of the interval follows \
                     the errors on held-out models",
                    study.models.len()
                ),
            );
        }
    }
}

/// The first embedded family that the study does not use and whose models can read the corpora of the study.
fn other_family(study: &Study) -> Option<&'static str> {
    let named = study.models.iter().filter_map(|model| model.info.family.as_deref());
    let closed = study.closed.iter().filter_map(|target| target.closed.family.as_deref());
    let ids = study.models.iter().chain(study.closed.iter().filter_map(|target| target.weights.as_ref()));
    let ids: Vec<&str> = ids.map(|model| model.info.id.as_str()).collect();
    let own = embedded().filter(|member| ids.contains(&member.name)).map(|member| member.family);
    let used: BTreeSet<&str> = named.chain(closed).chain(own).collect();
    let mut tried: BTreeSet<&str> = BTreeSet::new();
    let mut smallest = embedded().filter(|member| tried.insert(member.family));
    let reads = |name: &str| {
        Model::load(name)
            .is_ok_and(|model| study.designs.iter().all(|design| DesignPrompts::new(design, &model).is_ok()))
    };
    smallest.find(|member| !used.contains(member.family) && reads(member.name)).map(|member| member.family)
}

/// The remedy for a refused prediction, given its row.
fn remedy_of(row: &PredictionRow, study: &Study) -> String {
    let (note, n) = (row.note.as_str(), study.models.len());
    if note.contains("no answers") {
        return "see the failed tasks above: they explain why the model has no answers".into();
    }
    if note.contains("is valid only for") {
        return "measure and ask all models with the same settings".into();
    }
    if note.contains("is known") || note.contains("needs the proxy") {
        return "choose features that the API of this model provides, or an API that returns \
                log-probabilities"
            .into();
    }
    if note.contains("Mahalanobis") || note.contains("beyond the training range") {
        return format!("add open models closer to this model in size and answers; there are {n} now");
    }
    if row.regime == Regime::BelowRange.name() {
        return "add weaker open models: smaller models, or earlier checkpoints (owner/name@step1000)".into();
    }
    if note.contains("a new family needs") || note.contains("to predict a new family") {
        return format!("add open models of other families; the {n} open models come from too few families");
    }
    if note.contains("skill") || note.contains("mean") {
        return format!(
            "the features do not distinguish the open models: add open models (there are {n} now) with \
             different answers, or other corpora"
        );
    }
    format!("add open models closer to this model; there are {n} now")
}
