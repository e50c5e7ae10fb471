//! Writes the results of a collection: scores.csv and gains.csv, items.csv with every graded answer, and
//! texts.jsonl. It does not write log-probabilities of prompts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check::RunCheck;
use super::item_row::{ItemRow, Replicate, row};
use super::scores;
use super::spreadsheet;
use super::tally::{AskedTask, QuestionRef, Tally};
use crate::collect::grading::{Grade, GradeKind, Grading, grade};
use crate::collect::tasks::{Item, Rendering, Task, TaskKind};
use crate::disk::{self, CsvRows, Partial};
use crate::error::{Error, Result};
use crate::provider::{Outcome, Prompt};

/// A line of texts.jsonl.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextLine {
    /// Id of the item.
    pub id: String,
    /// The task.
    pub task: String,
    /// Number of the replicate, from 0.
    pub replicate: usize,
    /// The prompt.
    pub prompt: String,
    /// The answer, which may be truncated; absent if there is no answer.
    pub text: Option<String>,
    /// The outcome: `answered`, `truncated`, `refused`, ...
    pub outcome: String,
    /// The requested model.
    pub model: String,
    /// Model snapshot that answered.
    pub model_snapshot: Option<String>,
    /// Time at which the answer was collected.
    pub collected_at: Option<String>,
}

/// Totals of all answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultsSummary {
    /// Number of items by the outcome of their first answer; `failed` if there is no answer.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// Model snapshots that answered.
    pub model_snapshots: BTreeSet<String>,
    /// System fingerprints of the servers.
    pub system_fingerprints: BTreeSet<String>,
    /// Grades of the first answers to all items.
    pub check: RunCheck,
    /// Number of questions that were asked more than once.
    pub n_repeated: usize,
    /// Number of questions that were asked more than once and got different answers.
    pub n_disagreed: usize,
}

/// The results so far. Files get their final names only after all answers are added.
#[derive(Debug)]
pub struct Results {
    folder: PathBuf,
    model: String,
    grading: Grading,
    tally: Tally,
    items: Option<CsvRows<Partial>>,
    texts: Option<Partial>,
    summary: ResultsSummary,
    /// The rendering of in-context questions, and the seed of their draw.
    pub drawn: Option<(Rendering, u64)>,
    /// Whether items.csv keeps texts unchanged that a spreadsheet would run as formulas.
    pub raw_csv: bool,
}

impl Results {
    /// Begins the results of a folder.
    ///
    /// # Errors
    /// [`Error::Write`] if a file cannot be created.
    pub fn begin(folder: &Path, provider: &str, model: &str, grading: Grading) -> Result<Self> {
        let tally = Tally::new(provider, model).graded_by(&grading);
        let (folder, model) = (folder.to_path_buf(), model.to_owned());
        Ok(Self {
            folder,
            model,
            grading,
            tally,
            items: None,
            texts: None,
            summary: ResultsSummary::default(),
            drawn: None,
            raw_csv: false,
        })
    }

    /// Adds all answers to one item, in the order of its replicates. `replicates` is empty for an item that
    /// was never asked.
    ///
    /// # Errors
    /// [`Error::Write`] if a file cannot be written.
    pub fn add(&mut self, task: &Task, item: &Item, replicates: &[Replicate]) -> Result<()> {
        let first = replicates.first().and_then(|replicate| replicate.answers.first());
        *self.summary.outcomes.entry(first.map_or("failed", |answer| answer.outcome.kind())).or_default() +=
            1;
        for answer in replicates.iter().flat_map(|replicate| &replicate.answers) {
            self.summary.model_snapshots.extend(answer.model_snapshot.clone());
            self.summary.system_fingerprints.extend(answer.system_fingerprint.clone());
        }
        match task.kind {
            TaskKind::Graded => self.grade(task, item, replicates),
            TaskKind::Texts => self.keep(item, replicates),
            TaskKind::Likelihoods => Ok(()),
        }
    }

    fn grade(&mut self, task: &Task, item: &Item, replicates: &[Replicate]) -> Result<()> {
        let mut how = self.grading.clone();
        how.stops.extend(task.stops.iter().cloned());
        let grades: Vec<Grade> =
            replicates.iter().map(|replicate| grade(item, &replicate.answers, &how)).collect();
        // Rendering and seed apply only to drawn questions, not to the questions of a file.
        let (rendering, seed) = self.drawn.filter(|_| task.is_drawn()).unzip();
        self.tally.asked(&item.task, AskedTask { sha256: Some(task.sha256.clone()), rendering, seed });
        let asked = QuestionRef { task: &item.task, shots: item.shots, question: &item.question };
        self.tally.add(asked, &grades);
        let unasked = Grade::none(GradeKind::Error, "not asked");
        let first = replicates.first().map_or(&[][..], |replicate| &replicate.answers);
        self.summary.check.add(item, first, &how, grades.first().unwrap_or(&unasked));
        let path = self.folder.join("items.csv");
        let items = match &mut self.items {
            Some(items) => items,
            none => none.insert(CsvRows::new(&path, Partial::begin(&path)?, true)),
        };
        let finish = |row: ItemRow| if self.raw_csv { row } else { spreadsheet::quoted(row) };
        for (number, (replicate, grade)) in replicates.iter().zip(grades).enumerate() {
            for answer in &replicate.answers {
                self.tally.note(asked, answer.model_snapshot.as_deref(), replicate.collected_at.as_deref());
            }
            items.add(&finish(row(item, number, replicate, grade)))?;
        }
        if replicates.is_empty() {
            items.add(&finish(row(item, 0, &Replicate::default(), unasked)))?;
        }
        Ok(())
    }

    fn keep(&mut self, item: &Item, replicates: &[Replicate]) -> Result<()> {
        let path = self.folder.join("texts.jsonl");
        let texts = match &mut self.texts {
            Some(texts) => texts,
            none => none.insert(Partial::begin(&path)?),
        };
        let prompt = match item.prompts.first() {
            Some(Prompt::Text(text)) => text.clone(),
            Some(Prompt::Messages(messages)) => serde_json::json!(messages).to_string(),
            None => String::new(),
        };
        for (number, replicate) in replicates.iter().enumerate() {
            let Some(answer) = replicate.answers.first() else { continue };
            if number == 0 {
                self.summary.check.add_text(&answer.outcome);
            }
            let line = TextLine {
                id: item.id.clone(),
                task: item.task.clone(),
                replicate: number,
                prompt: prompt.clone(),
                text: text_of(&answer.outcome).filter(|text| !text.is_empty()).map(Into::into),
                outcome: answer.outcome.kind().into(),
                model: self.model.clone(),
                model_snapshot: answer.model_snapshot.clone(),
                collected_at: replicate.collected_at.clone(),
            };
            let line = disk::json_line(&path, &line)?;
            texts.write_all(&line).map_err(|source| Error::Write { path: path.clone(), source })?;
        }
        Ok(())
    }

    /// Gives every file its final name. scores.csv is written last, so it exists only if all other files
    /// exist.
    ///
    /// # Errors
    /// [`Error::Write`] if a file cannot be written or renamed.
    pub fn write(self, seed: u64) -> Result<ResultsSummary> {
        let at = |name: &str| self.folder.join(name);
        if let Some(texts) = self.texts {
            texts.commit()?;
        }
        if let Some(items) = self.items {
            items.finish()?.commit()?;
            match self.tally.gains(seed).as_slice() {
                // A single number of shots has no gain, so an existing gains.csv belongs to another
                // configuration.
                [] => std::fs::remove_file(at("gains.csv")).unwrap_or_default(),
                gains => scores::write(&at("gains.csv"), gains)?,
            }
            scores::write(&at("scores.csv"), &self.tally.scores())?;
        }
        let (n_repeated, n_disagreed) = self.tally.disagreement();
        Ok(ResultsSummary { n_repeated, n_disagreed, ..self.summary })
    }
}

/// The model's text in an outcome, if there is one.
pub(crate) fn text_of(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Answered { text } | Outcome::Refused { text } | Outcome::Truncated { text } => Some(text),
        Outcome::Filtered { text, .. } => text.as_deref(),
        Outcome::Empty | Outcome::Unreadable { .. } | Outcome::Failed(_) => None,
    }
}
