//! Why a closed model has no number, or a wide interval, and the cheapest thing that would help.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::checked::{ClosedTarget, Study};
use super::outside::{Outside, outside};
use super::results::StudyFolder;
use super::status::status;
use super::task::StudyTask;
use crate::calibration::{PredictionRow, PredictionStatus, Table};
use crate::corpus::FactorialDesign;
use crate::corpus::category::INVENTED;
use crate::error::Result;
use crate::numeric::shown::fixed;

/// A finding about a closed model, or about the study as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The closed model; empty for the study.
    pub model: String,
    /// What is wrong.
    pub finding: String,
    /// The cheapest thing to do about it.
    pub remedy: String,
}

/// Families and models that a calibration wants: with fewer, leaving one out says little of new ones.
const FAMILIES: usize = 3;
const MODELS_OF_A_FAMILY: usize = 3;
/// An interval is wide if it covers this share of what the open models span.
const WIDE: f64 = 0.8;
/// Standard error of a share beyond which a measurement is coarse.
const COARSE: f64 = 0.05;
/// A closed model is large if it is this many times the largest open one.
const LARGE: f64 = 10.0;

/// Looks at the study file and at what is in the folder.
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

/// The least and largest value of the target among the open models.
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

    /// Tasks that are not done.
    fn failures(&mut self, tasks: &[StudyTask], folder: &StudyFolder) {
        let (mut missing, mut running) = (0, 0);
        for row in status(tasks, folder) {
            match row.status {
                "failed" => {
                    let remedy = "correct what it names, or leave the model or corpus out of the study file; \
                                  `surmise run` tries it again";
                    self.add(&row.model, format!("`{}` failed: {}", row.task, row.note), remedy);
                }
                "missing" => missing += 1,
                "running" => running += 1,
                _ => {}
            }
        }
        if missing > 0 {
            self.add("", format!("{missing} tasks are not done yet"), "run `surmise run` on the study file");
        }
        if running > 0 {
            self.add("", format!("{running} tasks are running"), "wait for them");
        }
    }

    /// How many families there are, and how many models of each.
    fn families(&mut self, study: &Study) {
        let mut families: BTreeMap<&str, usize> = BTreeMap::new();
        for model in &study.models {
            *families.entry(model.info.family.as_deref().unwrap_or_default()).or_default() += 1;
        }
        // The embedded models can spell the corpora of their own facts.
        let is_invented = |design: &FactorialDesign| INVENTED.contains(&design.category.as_str());
        let embedded = if study.designs.iter().any(is_invented) { "factgpt" } else { "minigpt" };
        if families.len() < FAMILIES {
            let names: Vec<&str> = families.keys().copied().collect();
            self.add(
                "",
                format!("the open models are of few families: {}", names.join(", ")),
                format!(
                    "name models of {} other families: an error on a new family cannot be told from fewer; \
                     the embedded ones cost least (family = \"{embedded}\", models = [\"{embedded}-?\"]), \
                     ids on a hub are nearer to real models",
                    FAMILIES - families.len()
                ),
            );
        }
        for (family, n) in families.iter().filter(|(_, n)| **n < MODELS_OF_A_FAMILY) {
            self.add(
                "",
                format!("the family {family} has {n} open model{}", if *n == 1 { "" } else { "s" }),
                "name other sizes of it, or earlier checkpoints (owner/name@step1000)",
            );
        }
    }

    /// Measurements whose standard errors are large, and models whose measurement has no share.
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

    /// One closed model.
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
                "its family is not named, so that the card takes it for a new one",
                "write `family` in its table if it is published",
            ),
            Some(family) if !known.contains(family) => self.add(
                id,
                format!("no open model is of its family {family}"),
                "name smaller open models of it if there are any; else its interval is that of a new family",
            ),
            Some(_) => {}
        }
        let largest = study.models.iter().map(|model| model.info.n_params).max().unwrap_or(1) as f64 / 1e9;
        if let Some(params_b) = target.closed.params_b.filter(|params_b| *params_b > LARGE * largest) {
            self.add(
                id,
                format!(
                    "it has {params_b} billion parameters, {:.0} times those of the largest open model",
                    params_b / largest
                ),
                "name larger open models; the next step of ten is the cheapest",
            );
        }
        if rows.is_empty() {
            self.add(id, "there is no prediction yet", "run `surmise run` on the study file");
        }
        let refused: BTreeSet<&str> = rows
            .iter()
            .filter(|row| row.status == PredictionStatus::Unsupported)
            .map(|row| row.note.as_str())
            .collect();
        for note in refused {
            self.add(id, format!("no prediction: {note}"), remedy_of(note, study));
        }
        for Outside { finding, .. } in outside(rows.iter().copied()) {
            self.add(
                id,
                finding,
                "trust no prediction for models like it: what its answers show differs from the open models; \
                 name open models that answer as it does",
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
                    "name more open models like it: there are {} now, and the interval follows the errors on \
                     those left out",
                    study.models.len()
                ),
            );
        }
    }
}

/// What helps against a refusal.
fn remedy_of(note: &str, study: &Study) -> String {
    let n = study.models.len();
    if note.contains("no answers") {
        return "see the tasks above: they say why it was not asked".into();
    }
    if note.contains("distance")
        || note.contains("farther")
        || note.contains("farthest")
        || note.contains("times the largest")
    {
        return format!("name open models nearer to it, in size and answers; there are {n}");
    }
    if note.contains("weaker than every row") {
        return "name weaker open models: smaller ones, or earlier checkpoints (owner/name@step1000)".into();
    }
    if note.contains("famil") {
        return format!("name open models of other families; the {n} open models are of too few");
    }
    if note.contains("skill") || note.contains("mean") {
        return format!(
            "the features do not tell the open models apart: name more of them (there are {n}), whose \
             answers differ, or other corpora"
        );
    }
    if note.contains("missing") || note.contains("is known") {
        return "choose features that its API gives, or an API that returns log-probabilities".into();
    }
    format!("name open models nearer to it; there are {n}")
}
