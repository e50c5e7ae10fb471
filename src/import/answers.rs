//! Converts the answers of one model to one task, as graded by another tool, to a row of scores.csv and rows
//! of items.csv.

use std::collections::HashMap;
use std::path::Path;

use crate::collect::grading::{Grade, GradeKind};
use crate::collect::results::ItemRow;
use crate::collect::results::scores::Score;
use crate::collect::results::spreadsheet;
use crate::collect::results::tally::{QuestionRef, Tally};
use crate::disk::{self, CsvRows};
use crate::error::Result;
use crate::numeric::statistics::mean_of_means;

/// An imported answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedItem {
    /// The API provider or, if it is unknown, the name of the tool.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The columns that items.csv of a collection also has.
    pub row: ItemRow,
}

/// Graded answers of one model to one task at one number of shots.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answers {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) task: String,
    pub(super) shots: usize,
    /// The name of the metric or scorer that graded the answers.
    pub(super) grader: String,
    /// One row per answer. Several answers to the same item have the same id and different replicate numbers.
    pub(super) rows: Vec<ItemRow>,
}

/// Creates a row with an id and a grade; the other columns are empty. [`Answers`] adds the task and the
/// number of shots.
pub(super) fn row(id: &str, replicate: usize, grade: Grade) -> ItemRow {
    ItemRow {
        task: String::new(),
        shots: 0,
        id: id.into(),
        question: id.into(),
        replicate,
        kind: grade.kind,
        credit: grade.credit,
        credit_per_byte: grade.credit_per_byte,
        logprob_nats: grade.logprob,
        answer: grade.extracted,
        gold: "[]".into(),
        finish_reason: None,
        model_snapshot: None,
        system_fingerprint: None,
        prompt_tokens: None,
        completion_tokens: None,
        collected_at: None,
    }
}

/// Converts the credit that a tool gave to a grade. If the credit is 0, a withheld answer counts as filtered,
/// and an empty answer as empty, not as wrong. If the credit is missing, the answer counts as unreadable.
pub(super) fn grade(credit: Option<f64>, text: &str, answer: &str, withheld: bool) -> Grade {
    let is_wrong = credit == Some(0.0);
    match credit {
        Some(_) if is_wrong && withheld => Grade::none(GradeKind::Filtered, answer),
        Some(_) if is_wrong && text.trim().is_empty() => Grade::none(GradeKind::Empty, ""),
        Some(credit) => Grade::scored(credit, answer),
        None => Grade::none(GradeKind::Unreadable, answer),
    }
}

/// Adds the grader and the hash of the settings to a score. The hash covers only the grader, because the
/// other settings are unknown.
pub(super) fn graded_by(score: Score, grader: &str) -> Score {
    let score = Score { grader: Some(grader.into()), ..score };
    Score { settings_sha256: Some(score.settings_hash()), ..score }
}

impl Answers {
    /// The row of scores.csv; `None` if there are no answers.
    pub(super) fn score(&self) -> Option<Score> {
        let mut tally = Tally::new(&self.provider, &self.model);
        for replicates in self.by_item() {
            let asked = QuestionRef { task: &self.task, shots: self.shots, question: &replicates[0].id };
            tally.add_rows(asked, &replicates);
        }
        let score = tally.scores().into_iter().next()?;
        Some(graded_by(score, &self.grader))
    }

    /// Averages `credit` over the answers to each item, and then over the items. Leaves out items without a
    /// value.
    pub(super) fn mean(&self, credit: impl Fn(&ItemRow) -> Option<f64>) -> Option<f64> {
        let items = self.by_item().into_iter();
        mean_of_means(items.map(|rows| rows.into_iter().filter_map(&credit).collect())).0
    }

    /// The rows grouped by item, in the order of each item's first row, with replicates in order.
    fn by_item(&self) -> Vec<Vec<&ItemRow>> {
        let mut order: Vec<Vec<&ItemRow>> = vec![];
        let mut places = HashMap::new();
        for row in &self.rows {
            let place = *places.entry(row.id.as_str()).or_insert(order.len());
            if place == order.len() {
                order.push(vec![]);
            }
            order[place].push(row);
        }
        order.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.replicate));
        order
    }

    /// The rows of items.csv.
    pub(super) fn items(self) -> impl Iterator<Item = ImportedItem> {
        let Self { provider, model, task, shots, rows, .. } = self;
        rows.into_iter().map(move |row| ImportedItem {
            provider: provider.clone(),
            model: model.clone(),
            row: ItemRow { task: task.clone(), shots, ..row },
        })
    }
}

/// Formats the rows as CSV with the columns `provider` and `model`, followed by the columns of a collection's
/// items.csv. Quotes texts that a spreadsheet would run as formulas.
///
/// # Errors
/// [`Error::Write`](crate::Error::Write) if the rows cannot be formatted.
pub fn items_csv(items: &[ImportedItem]) -> Result<Vec<u8>> {
    let path = Path::new("items.csv");
    let no_answer = row("", 0, Grade::none(GradeKind::Error, ""));
    let columns = disk::csv_bytes(path, &[no_answer])?;
    let mut bytes = b"provider,model,".to_vec();
    bytes.extend(columns.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default());
    let mut rows = CsvRows::new(path, bytes, false);
    for item in items {
        let row = spreadsheet::quoted(item.row.clone());
        rows.add(&(&item.provider, &item.model, row))?;
    }
    rows.finish()
}
