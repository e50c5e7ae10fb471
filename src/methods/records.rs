//! Defines the parts of JSON and CSV files that the methods paragraph uses, for files that no other module
//! reads. Unknown members are detected with the data dictionary.

use serde::Deserialize;

use crate::collect::configuration::Configuration;
use crate::study::blind::BlindSettings;

/// The parts of study.json that the paragraph uses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StudyRecord {
    pub seed: u64,
    pub settings: StudySettings,
    pub targets: Vec<Target>,
}

/// Settings of a study.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StudySettings {
    pub estimand: String,
    pub tasks: Vec<String>,
    pub sizes: bool,
}

/// A closed model of a study.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Target {
    pub id: String,
    pub model: String,
    pub provider: String,
    pub base_url: Option<String>,
}

/// The parts of summary.json that the paragraph uses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct CollectionRecord {
    pub model_snapshots: Vec<String>,
    pub configuration: Configuration,
}

/// The parts of blind.json that the paragraph uses.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BlindRecord {
    pub settings: BlindSettings,
    pub target: String,
    pub features: Vec<String>,
    pub level: f64,
    pub summaries: Vec<BlindSummary>,
}

/// The family of a summary of a blind test, and its numbers of members, rows and predictions.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BlindSummary {
    pub family: String,
    pub n_members: usize,
    pub n: usize,
    pub n_predicted: usize,
}

/// The output of `surmise mi --json`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct EstimateRecord {
    pub estimator: String,
    pub seed: u64,
    pub n: usize,
    pub permutation_test: Option<PermutationRecord>,
}

/// A permutation test.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PermutationRecord {
    pub permutations: usize,
    pub pairing: String,
}

/// A row of comparisons.csv.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ComparisonRecord {
    pub model: String,
    pub estimator: String,
    pub noise_scale: Option<f64>,
    pub window_tokens: usize,
    pub n_windows: usize,
    pub permutations: usize,
}
