//! Defines the inputs of a semantic join.

use std::collections::BTreeMap;

use super::answers::SemanticAnswersRow;
use crate::collect::Score;
use crate::emergence::semantic::SemanticProfile;
use crate::observations::inputs::PublishedModel;

/// Semantic profiles, scores and answers to join into one table.
#[derive(Debug, Clone, Default)]
pub struct SemanticInputs {
    /// Profiles of open models. Several profiles of one model and corpus are repetitions with other seeds.
    pub profiles: Vec<SemanticProfile>,
    /// The numbers of examples, each of which gets its own rows. If empty, the largest number in the profiles
    /// is used.
    pub shots: Vec<usize>,
    /// Scores of open and closed models.
    pub scores: Vec<Score>,
    /// Answers of models to the prompts of the same designs, collected from outside.
    pub answers: Vec<SemanticAnswersRow>,
    /// The published family and size by model.
    pub published: BTreeMap<String, PublishedModel>,
    /// Whether the scores of different models on one task may come from different settings of collection and
    /// grading.
    pub mixed_scores: bool,
    /// The proxy of every target; `None` uses the smallest measured member of the family.
    pub proxy: Option<String>,
}
