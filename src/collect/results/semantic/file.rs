//! Collects the answers of a run to the questions on all categories, and writes semantic.csv.

use std::collections::BTreeSet;
use std::path::Path;

use super::category_answers::CategoryAnswers;
use super::row::Answerer;
use crate::collect::grading::Grading;
use crate::collect::tasks::{Item, LogprobSource, Task, TaskKind};
use crate::corpus::FactorialDesign;
use crate::disk;
use crate::error::Result;
use crate::numeric::shown::count;
use crate::provider::Answer;

/// The name of the output file.
pub(crate) const FILE: &str = "semantic.csv";

/// The answers of a run so far.
#[derive(Debug)]
pub(in crate::collect::results) struct SemanticAnswers {
    categories: Vec<CategoryAnswers>,
    /// Index of the category whose answers are being added.
    current: Option<usize>,
    /// Name of the task whose answers are being added.
    task: String,
    grading: Grading,
    answerer: Answerer,
    snapshots: BTreeSet<String>,
}

impl SemanticAnswers {
    pub(in crate::collect::results) fn new(
        designs: Vec<FactorialDesign>,
        logprobs_from: LogprobSource,
        grading: Grading,
        (provider, model): (&str, &str),
    ) -> Self {
        let of_design = |design| CategoryAnswers::new(design, logprobs_from);
        let answerer = Answerer { provider: provider.into(), model: model.into(), ..Answerer::default() };
        let categories = designs.into_iter().map(of_design).collect();
        Self { categories, current: None, task: String::new(), grading, answerer, snapshots: BTreeSet::new() }
    }

    /// Adds the answers to the next item of a task. A task of short answers begins a new category.
    pub(in crate::collect::results) fn add(
        &mut self,
        task: &Task,
        item: &Item,
        answers: &[Answer],
        collected_at: Option<&str>,
    ) {
        self.snapshots.extend(answers.iter().filter_map(|answer| answer.model_snapshot.clone()));
        self.answerer.collected_at = self.answerer.collected_at.take().max(collected_at.map(Into::into));
        if self.task != task.name {
            self.task.clone_from(&task.name);
            if task.kind == TaskKind::Graded {
                self.current = Some(self.current.map_or(0, |current| current + 1));
            }
        }
        let Some(category) = self.current.and_then(|current| self.categories.get_mut(current)) else {
            return;
        };
        if task.kind == TaskKind::Likelihoods {
            category.add_likelihoods(item, answers);
        } else {
            let mut how = self.grading.clone();
            how.stops.extend(task.stops.iter().cloned());
            category.add(item, answers.first(), &how);
        }
    }

    /// Writes the file. Returns notes about empty cells and excluded queries.
    ///
    /// # Errors
    /// [`crate::Error::Write`] if the file cannot be written.
    pub(in crate::collect::results) fn write(mut self, folder: &Path) -> Result<Vec<String>> {
        self.answerer.model_snapshot = self.snapshots.iter().cloned().collect::<Vec<_>>().join("+");
        let (mut rows, mut notes) = (vec![], vec![]);
        if self.categories.iter().any(|category| category.logprobs_from == LogprobSource::None) {
            notes.push(
                "without log-probabilities, accuracy, logprob_nats and output_share are empty; \
                 answer_accuracy and answer_share are computed from the texts of the answers"
                    .to_owned(),
            );
        }
        for category in &self.categories {
            for shots_index in 0..category.design.shots.len() {
                let (row, why) = category.row(shots_index, self.grading.normalisation, &self.answerer);
                let shares_entities = row.overlap > 0.0;
                if shares_entities {
                    notes.push(format!(
                        "{} has too few entities for disjoint example sets of {}; any two sets share {:.0} % \
                         of their entities",
                        row.corpus,
                        count(row.shots, "shot"),
                        100.0 * row.overlap
                    ));
                }
                notes.extend(why);
                rows.push(row);
            }
            let Some(row) = rows.last() else { continue };
            if row.n_output_left_out > 0 && category.logprobs_from != LogprobSource::None {
                let same = if category.logprobs_from == LogprobSource::Echo { "token" } else { "character" };
                notes.push(format!(
                    "{} queries of {}, summed over all pairs of relations, are excluded from output_share, \
                     because the answers of both relations begin with the same {same}",
                    row.n_output_left_out, row.corpus
                ));
            }
            if row.n_answer_left_out > 0 {
                notes.push(format!(
                    "{} queries of {}, summed over all pairs of relations, are excluded from answer_share, \
                     because the answers of both relations are the same",
                    row.n_answer_left_out, row.corpus
                ));
            }
        }
        let path = folder.join(FILE);
        disk::write(&path, &disk::csv_bytes(&path, &rows)?)?;
        Ok(notes)
    }
}
