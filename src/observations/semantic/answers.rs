//! The answers of a model to the prompts of a design, as `collect semantic` writes them.

use serde::Deserialize;

use crate::collect::results::semantic::SemanticScore;
use crate::error::{Error, Result};

/// The columns of semantic.csv that a join uses. All but the first three may be missing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SemanticAnswersRow {
    /// The model that answered.
    pub model: String,
    /// The category.
    pub corpus: String,
    /// The number of examples in the prompt.
    pub shots: usize,
    /// The form of the prompts.
    pub form: Option<String>,
    /// The number of example sets, S.
    pub sets: Option<usize>,
    /// The number of queries, X.
    pub queries: Option<usize>,
    /// The seed of the design.
    pub seed: Option<u64>,
    /// The SHA-256 of the category's CSV file.
    pub corpus_sha256: Option<String>,
    /// The version of the normalisation of short answers.
    pub normalisation: Option<u32>,
    /// Whether case was ignored when comparing short answers.
    pub ignore_case: Option<bool>,
    /// Whether punctuation was ignored when comparing short answers.
    pub ignore_punctuation: Option<bool>,
    /// The SHA-256 of the design and the grading.
    pub settings_sha256: Option<String>,
    /// The share of prompts whose most likely next token begins the correct answer.
    pub accuracy: Option<f64>,
    /// The mean log-probability of the first token of the correct answer.
    pub logprob_nats: Option<f64>,
    /// The output share `O`: how well the output of the model identifies the relation.
    pub output_share: Option<f64>,
    /// The share of prompts whose short answer is correct.
    pub answer_accuracy: Option<f64>,
    /// How well the short answers identify the relation: the pair score, computed from answers instead of
    /// states.
    pub answer_share: Option<f64>,
}

impl From<&SemanticScore> for SemanticAnswersRow {
    fn from(row: &SemanticScore) -> Self {
        Self {
            model: row.model.clone(),
            corpus: row.corpus.clone(),
            shots: row.shots,
            form: Some(row.form.clone()),
            sets: Some(row.sets),
            queries: Some(row.queries),
            seed: Some(row.seed),
            corpus_sha256: Some(row.corpus_sha256.clone()),
            normalisation: row.normalisation,
            ignore_case: row.ignore_case,
            ignore_punctuation: row.ignore_punctuation,
            settings_sha256: row.settings_sha256.clone(),
            accuracy: row.accuracy,
            logprob_nats: row.logprob_nats,
            output_share: row.output_share,
            answer_accuracy: row.answer_accuracy,
            answer_share: row.answer_share,
        }
    }
}

/// Returns an error for answers that were graded in different ways, because they form one feature column. A
/// setting that a file does not state is compatible with any value.
///
/// # Errors
/// [`Error::Observations`] with the models, the difference, and both hashes.
pub(super) fn check_answers(rows: &[SemanticAnswersRow]) -> Result<()> {
    let stated = |row: &SemanticAnswersRow| {
        [
            ("normalisation", row.normalisation.map(|version| version.to_string())),
            ("ignore_case", row.ignore_case.map(|flag| flag.to_string())),
            ("ignore_punctuation", row.ignore_punctuation.map(|flag| flag.to_string())),
        ]
    };
    for at in 0..3 {
        let mut known = rows.iter().filter_map(|row| Some((row, stated(row)[at].1.clone()?)));
        let Some((first, value)) = known.next() else { continue };
        let Some((other, differs)) = known.find(|(_, other)| *other != value) else { continue };
        let hash = |row: &SemanticAnswersRow| {
            row.settings_sha256.as_deref().map_or("not stated".into(), |hash| format!("{hash:.12}"))
        };
        let reason = format!(
            "answers of {} and {} were graded in two ways, {}: {value} (settings_sha256 {}) and {differs} \
             (settings_sha256 {}); grade one of them again (surmise collect rescore)",
            first.model,
            other.model,
            stated(first)[at].0,
            hash(first),
            hash(other)
        );
        return Err(Error::Observations { reason });
    }
    Ok(())
}
