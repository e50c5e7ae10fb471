//! The inputs of a join.

use std::collections::BTreeMap;

use super::readings::ComparisonRow;
use crate::collect::Score;
use crate::emergence::Profile;

/// What is published of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PublishedModel {
    /// The recipe it belongs to; empty if it is not known.
    pub family: String,
    /// Billions of parameters.
    pub params_b: Option<f64>,
    /// The measured model that stands for it; else that of all targets.
    pub proxy: Option<String>,
}

/// Profiles, scores and readings that are joined into one table.
#[derive(Debug, Clone, Default)]
pub struct JoinInputs {
    /// Profiles of open models; several of one model and corpus are repetitions with other seeds.
    pub profiles: Vec<Profile>,
    /// Scores of open and closed models.
    pub scores: Vec<Score>,
    /// Profiles of one small reader on texts: each corpus is named after the model that wrote it, or
    /// [`super::REFERENCE`] if no model did.
    pub readings: Vec<Profile>,
    /// Or comparisons of the same groups by one reader.
    pub comparisons: Vec<ComparisonRow>,
    /// Family and size of models without a profile; family only, for models whose profile lacks it.
    pub published: BTreeMap<String, PublishedModel>,
    /// Whether scores of several models on one task may differ in how they were asked and graded.
    pub mixed_scores: bool,
    /// The proxy of every target; else the smallest measured member of its family.
    pub proxy: Option<String>,
    /// The estimator's noise scale.
    pub noise_scale: Option<f64>,
}
