//! The semantic profile of one model on one category, as stored in JSON.

use serde::{Deserialize, Serialize};

use super::reading::SemanticReading;
use super::summary::ShotSummary;
use crate::disk::Schema;
use crate::emergence::profile_settings::ProfileSettings;
use crate::model::{Bos, ModelInfo};

/// The semantic emergence of one model on one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SemanticProfile {
    /// Name and version of the JSON schema.
    pub schema: Schema,
    /// All settings that determine the results.
    pub settings: ProfileSettings,
    /// The model.
    pub model: ModelInfo,
    /// The category and the design that was drawn from it.
    pub corpus: DesignInfo,
    /// Noise scales `b`.
    pub noise_scales: Vec<f64>,
    /// The noise scale of the summaries, the controls and profiles.csv.
    pub default_noise_scale: f64,
    /// The temperatures at which densities were scored.
    pub temperatures: Vec<f64>,
    /// Seed of the design, the noise and the permutations.
    pub seed: u64,
    /// Seed of the randomly initialised model, if it was measured.
    pub random_init_seed: Option<u64>,
    /// One summary for each number of shots.
    pub shots: Vec<ShotSummary>,
    /// One row for each block, number of shots, noise scale and control; there are no rows at 0 shots.
    pub readings: Vec<SemanticReading>,
}

/// A category and the design that was drawn from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesignInfo {
    /// The name of the category.
    pub name: String,
    /// SHA-256 of the CSV file of the category.
    pub sha256: String,
    /// SHA-256 of the texts of all prompts.
    pub prompts_sha256: String,
    /// The relations of the category.
    pub relations: Vec<String>,
    /// Number of example sets, S.
    pub sets: usize,
    /// Number of queries, X.
    pub queries: usize,
    /// The form of the prompts.
    pub form: String,
    /// Whether prompts begin with a beginning-of-sequence token.
    pub bos: Bos,
    /// The prompts at each number of shots.
    pub shots: Vec<ShotInfo>,
    /// The pairs of relations from which queries are left out.
    pub left_out: Vec<LeftOut>,
}

/// The prompts at one number of shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShotInfo {
    /// Number of examples in the prompt.
    pub shots: usize,
    /// The mean share of entities that two example sets have in common.
    pub overlap: f64,
    /// Number of tokens in the longest prompt.
    pub longest_prompt_tokens: usize,
}

/// Queries whose answers in two relations begin with the same token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The first relation.
    pub relation: String,
    /// The second relation.
    pub other: String,
    /// Number of queries left out of the comparison.
    pub queries: usize,
}

impl SemanticProfile {
    /// The headline: the mean macro share over blocks `2..=L` at the largest number of shots. It is the mean
    /// of the rows of profiles.csv with `is_headline`. `None` for a model with one block.
    pub fn headline(&self) -> Option<super::depth::WithError> {
        self.shots.last()?.share_mean
    }
}
