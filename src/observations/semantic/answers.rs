//! What a model answers to the prompts of a design, as `collect semantic` writes it.

use serde::Deserialize;

use crate::collect::results::semantic::SemanticScore;

/// The columns of semantic.csv that a join uses; all but the first three may be missing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SemanticAnswersRow {
    /// The model that answered.
    pub model: String,
    /// The category.
    pub corpus: String,
    /// Examples in the prompt.
    pub shots: usize,
    /// How a prompt is written.
    pub form: Option<String>,
    /// Example sets, S.
    pub sets: Option<usize>,
    /// Queries, X.
    pub queries: Option<usize>,
    /// Seed of the design.
    pub seed: Option<u64>,
    /// Prompts whose most likely next token begins the right answer.
    pub accuracy: Option<f64>,
    /// Mean log-probability of the first token of the right answer.
    pub logprob_nats: Option<f64>,
    /// `O` of the output.
    pub output_share: Option<f64>,
    /// Prompts whose short answer is right.
    pub answer_accuracy: Option<f64>,
    /// The pair score with answers in place of states.
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
            accuracy: row.accuracy,
            logprob_nats: row.logprob_nats,
            output_share: row.output_share,
            answer_accuracy: row.answer_accuracy,
            answer_share: row.answer_share,
        }
    }
}
