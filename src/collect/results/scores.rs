//! Defines scores and gains. A score summarises the graded answers of one model to one task at one number of
//! shots, and counts every kind of missing answer separately. A gain is the change in accuracy on the same
//! questions with more shots.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::Result;
pub use crate::numeric::proportions::{empirical_logit, wilson};
use crate::seed;

/// A row of scores.csv. The counts of the kinds of answers add up to the number of items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The API provider, or `local`.
    pub provider: String,
    /// The requested model.
    pub model: String,
    /// The snapshots that answered, joined by `+`; for local models the SHA-256 of the weights.
    pub model_snapshot: String,
    /// The task.
    pub task: String,
    /// Number of examples shown before the question.
    pub shots: usize,
    /// Number of items.
    pub n_items: usize,
    /// Number of answers that could be graded.
    pub n_scored: usize,
    /// Number of refusals.
    pub n_refused: usize,
    /// Number of answers that a filter withheld.
    pub n_filtered: usize,
    /// Number of answers that were truncated at the token limit before they could be graded.
    pub n_truncated: usize,
    /// Number of empty answers.
    pub n_empty: usize,
    /// Number of answers that surmise could not read.
    pub n_unreadable: usize,
    /// Number of items whose requests failed or were never sent.
    pub n_error: usize,
    /// Share of right answers among the scored items.
    pub accuracy: Option<f64>,
    /// Lower end of the 95 % Wilson interval of the accuracy.
    pub accuracy_low: Option<f64>,
    /// Upper end of the 95 % Wilson interval of the accuracy.
    pub accuracy_high: Option<f64>,
    /// Share of right answers among all items.
    pub accuracy_all_as_wrong: Option<f64>,
    /// Mean over scored items of the log-probability of the whole right answer, in nats. Empty unless it is
    /// known for all scored items.
    pub mean_logprob: Option<f64>,
    /// Time at which the last answer was collected, for models behind an API.
    pub collected_at: Option<String>,
    /// The grader, for models behind an API.
    #[serde(default)]
    pub grader: Option<String>,
    /// Version of the normalisation of texts.
    #[serde(default)]
    pub normalisation: Option<u32>,
    /// Whether texts were compared in lower case.
    #[serde(default)]
    pub ignore_case: Option<bool>,
    /// Whether texts were compared without punctuation.
    #[serde(default)]
    pub ignore_punctuation: Option<bool>,
    /// How in-context questions were rendered; empty for the questions of a file.
    #[serde(default)]
    pub rendering: Option<String>,
    /// SHA-256 of the questions: of the task file, or of the drawn lists.
    #[serde(default)]
    pub task_sha256: Option<String>,
    /// Seed of in-context questions; empty for the questions of a file.
    #[serde(default)]
    pub seed: Option<u64>,
    /// SHA-256 of [`Self::settings`]. Scores with different hashes are not pooled.
    #[serde(default)]
    pub settings_sha256: Option<String>,
}

impl Score {
    /// Builds the row of a source that states only the number of items and of right answers. All `n` items
    /// count as scored. If `n` is 0, there is no accuracy.
    pub fn of_accuracy(
        provider: &str,
        model: &str,
        task: &str,
        shots: usize,
        n: usize,
        correct: f64,
    ) -> Self {
        let (interval, accuracy) = (wilson(correct, n), (n > 0).then(|| correct / n as f64));
        Self {
            provider: provider.into(),
            model: model.into(),
            model_snapshot: String::new(),
            task: task.into(),
            shots,
            n_items: n,
            n_scored: n,
            n_refused: 0,
            n_filtered: 0,
            n_truncated: 0,
            n_empty: 0,
            n_unreadable: 0,
            n_error: 0,
            accuracy,
            accuracy_low: interval.map(|(low, _)| low),
            accuracy_high: interval.map(|(_, high)| high),
            accuracy_all_as_wrong: accuracy,
            mean_logprob: None,
            collected_at: None,
            grader: None,
            normalisation: None,
            ignore_case: None,
            ignore_punctuation: None,
            rendering: None,
            task_sha256: None,
            seed: None,
            settings_sha256: None,
        }
    }

    /// The settings that, together with the model, determine a score, by column; `None` for a setting that is
    /// not recorded.
    pub fn settings(&self) -> [(&'static str, Option<String>); 7] {
        let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
        [
            ("rendering", self.rendering.clone()),
            ("grader", self.grader.clone()),
            ("normalisation", self.normalisation.map(|version| version.to_string())),
            ("ignore_case", flag(self.ignore_case)),
            ("ignore_punctuation", flag(self.ignore_punctuation)),
            ("seed", self.seed.map(|seed| seed.to_string())),
            ("task_sha256", self.task_sha256.clone()),
        ]
    }

    /// SHA-256 of the recorded settings, a line `NAME=VALUE` for each.
    pub fn settings_hash(&self) -> String {
        let stated = self.settings().into_iter().filter_map(|(name, value)| Some((name, value?)));
        let lines: String = stated.map(|(name, value)| format!("{name}={value}\n")).collect();
        seed::sha256_hex(lines.as_bytes())
    }
}

/// A row of gains.csv: the change in accuracy on the same questions with more shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The task.
    pub task: String,
    /// The smaller number of shots.
    pub shots_from: usize,
    /// The larger number of shots.
    pub shots_to: usize,
    /// Number of questions that were scored at both numbers of shots.
    pub n_pairs: usize,
    /// Accuracy with more shots minus accuracy with fewer shots.
    pub gain: f64,
    /// Lower end of the 95 % bootstrap interval of the gain.
    pub gain_low: f64,
    /// Upper end of the 95 % bootstrap interval of the gain.
    pub gain_high: f64,
}

/// Writes rows as CSV, atomically.
///
/// # Errors
/// [`crate::error::Error::Write`] if the file cannot be written.
pub fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    disk::write(path, &disk::csv_bytes(path, rows)?)
}
