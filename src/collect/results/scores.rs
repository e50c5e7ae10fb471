//! Scores: graded answers of one model to one task at one number of shots, with every kind of missing answer
//! counted separately; and the gain from shots on the same questions.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::error::Result;
pub use crate::numeric::proportions::{empirical_logit, wilson};
use crate::seed;

/// One row of scores.csv. The kinds add up to the items.
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
    /// Examples shown before the question.
    pub shots: usize,
    /// Questions asked.
    pub n_items: usize,
    /// Answers that could be graded.
    pub n_scored: usize,
    /// Refusals.
    pub n_refused: usize,
    /// Answers withheld by a filter.
    pub n_filtered: usize,
    /// Answers cut at the token limit before they could be graded.
    pub n_truncated: usize,
    /// Empty answers.
    pub n_empty: usize,
    /// Answers no parser or grader could read.
    pub n_unreadable: usize,
    /// Requests that failed or were never sent.
    pub n_error: usize,
    /// Share of correct answers among the scored.
    pub accuracy: Option<f64>,
    /// Lower end of its 95 % Wilson interval.
    pub accuracy_low: Option<f64>,
    /// Upper end of its 95 % Wilson interval.
    pub accuracy_high: Option<f64>,
    /// Share of correct answers among all asked.
    pub accuracy_all_as_wrong: Option<f64>,
    /// Mean over scored items of the log-probability of the whole right answer in nats; empty unless it is
    /// known for all of them.
    pub mean_logprob: Option<f64>,
    /// When the last answer was collected, for models behind an API.
    pub collected_at: Option<String>,
    /// How answers of a model behind an API were graded.
    #[serde(default)]
    pub grader: Option<String>,
    /// Version of the normalisation of their texts.
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
    /// SHA-256 of the questions: of the file, or of the lists that were drawn.
    #[serde(default)]
    pub task_sha256: Option<String>,
    /// Seed of in-context questions; empty for the questions of a file.
    #[serde(default)]
    pub seed: Option<u64>,
    /// SHA-256 of [`Self::settings`]: scores with different ones are not pooled.
    #[serde(default)]
    pub settings_sha256: Option<String>,
}

impl Score {
    /// A row of which only the share of right answers is known: all `n` items count as scored. Without items
    /// there is no accuracy.
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

    /// What decides a score beside the model, by column; `None` where it is not stated.
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

    /// SHA-256 of the settings that are stated, a line `NAME=VALUE` for each.
    pub fn settings_hash(&self) -> String {
        let stated = self.settings().into_iter().filter_map(|(name, value)| Some((name, value?)));
        let lines: String = stated.map(|(name, value)| format!("{name}={value}\n")).collect();
        seed::sha256_hex(lines.as_bytes())
    }
}

/// One row of gains.csv: the change in accuracy on the same questions with more shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The task.
    pub task: String,
    /// Fewer shots.
    pub shots_from: usize,
    /// More shots.
    pub shots_to: usize,
    /// Questions scored at both.
    pub n_pairs: usize,
    /// Accuracy with more shots minus accuracy with fewer.
    pub gain: f64,
    /// Lower end of its 95 % bootstrap interval.
    pub gain_low: f64,
    /// Upper end of its 95 % bootstrap interval.
    pub gain_high: f64,
}

/// Writes rows as CSV, whole or not at all.
///
/// # Errors
/// [`crate::error::Error::Write`]
pub fn write<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    disk::write(path, &disk::csv_bytes(path, rows)?)
}
