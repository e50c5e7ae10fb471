//! The inputs of a join.

use std::collections::BTreeMap;

use super::answers::SemanticAnswersRow;
use crate::collect::Score;
use crate::emergence::semantic::SemanticProfile;
use crate::observations::inputs::PublishedModel;

/// Semantic profiles, scores and answers that are joined into one table.
#[derive(Debug, Clone, Default)]
pub struct SemanticInputs {
    /// Profiles of open models; several of one model and corpus are repetitions with other seeds.
    pub profiles: Vec<SemanticProfile>,
    /// The numbers of examples that rows are of; the most of the profiles if none is given.
    pub shots: Vec<usize>,
    /// Scores of open and closed models.
    pub scores: Vec<Score>,
    /// Answers of models to the same designs, from outside.
    pub answers: Vec<SemanticAnswersRow>,
    /// Family and size by model, as far as published.
    pub published: BTreeMap<String, PublishedModel>,
    /// Whether scores of several models on one task may differ in how they were asked and graded.
    pub mixed_scores: bool,
    /// The proxy of every target; else the smallest measured member of its family.
    pub proxy: Option<String>,
}
