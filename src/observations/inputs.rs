//! Defines the inputs of a join.

use std::collections::BTreeMap;

use super::readings::ComparisonRow;
use crate::collect::Score;
use crate::emergence::Profile;

/// The published facts about a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PublishedModel {
    /// The family, that is the training recipe; empty if unknown.
    pub family: String,
    /// The number of parameters in billions.
    pub params_b: Option<f64>,
    /// The measured model that is the proxy of this model; `None` uses the proxy of all targets.
    pub proxy: Option<String>,
}

/// Profiles, scores and readings to join into one table.
#[derive(Debug, Clone, Default)]
pub struct JoinInputs {
    /// Profiles of open models. Several profiles of one model and corpus are repetitions with other seeds.
    pub profiles: Vec<Profile>,
    /// Scores of open and closed models.
    pub scores: Vec<Score>,
    /// Profiles of one small reader model on texts. Each corpus is named after the model that wrote it, or
    /// [`super::REFERENCE`] if no model wrote it.
    pub readings: Vec<Profile>,
    /// Comparisons of groups of texts by one reader model, as an alternative to `readings`.
    pub comparisons: Vec<ComparisonRow>,
    /// The published family and size by model, which override the family and size in profiles.
    pub published: BTreeMap<String, PublishedModel>,
    /// Whether the scores of different models on one task may come from different settings of collection and
    /// grading.
    pub mixed_scores: bool,
    /// The proxy of every target; `None` uses the smallest measured member of the family.
    pub proxy: Option<String>,
    /// The noise scale of the estimator.
    pub noise_scale: Option<f64>,
}
