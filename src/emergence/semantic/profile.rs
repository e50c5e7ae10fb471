//! The semantic profile of one model on one category, as it is stored in JSON.

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
    /// Everything that decides the numbers.
    pub settings: ProfileSettings,
    /// The model.
    pub model: ModelInfo,
    /// The category and the design that was drawn from it.
    pub corpus: DesignInfo,
    /// Noise scales `b`.
    pub noise_scales: Vec<f64>,
    /// The one that summaries, controls and profiles.csv are at.
    pub default_noise_scale: f64,
    /// Temperatures that densities were scored at.
    pub temperatures: Vec<f64>,
    /// Seed of design, noise and permutations.
    pub seed: u64,
    /// Seed of the randomly initialised model, if it was measured.
    pub random_init_seed: Option<u64>,
    /// One summary for each number of shots.
    pub shots: Vec<ShotSummary>,
    /// One row for each block, number of shots, noise scale and control; none at 0 shots.
    pub readings: Vec<SemanticReading>,
}

/// A category and the design that was drawn from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DesignInfo {
    /// The category's name.
    pub name: String,
    /// SHA-256 of its CSV file.
    pub sha256: String,
    /// SHA-256 of the texts of all prompts.
    pub prompts_sha256: String,
    /// Its relations.
    pub relations: Vec<String>,
    /// Example sets, S.
    pub sets: usize,
    /// Queries, X.
    pub queries: usize,
    /// How a prompt is written.
    pub form: String,
    /// Whether a prompt begins with a beginning-of-sequence token.
    pub bos: Bos,
    /// What is to be known of the prompts at each number of shots.
    pub shots: Vec<ShotInfo>,
    /// Pairs of relations from which queries are left out.
    pub left_out: Vec<LeftOut>,
}

/// The prompts at one number of shots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShotInfo {
    /// Examples in the prompt.
    pub shots: usize,
    /// The share of its entities that an example set has in common with another one.
    pub overlap: f64,
    /// Tokens of the longest prompt.
    pub longest_prompt_tokens: usize,
}

/// Queries whose answers in two relations begin with the same token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// One relation.
    pub relation: String,
    /// The other.
    pub other: String,
    /// How many queries are left out of their comparison.
    pub queries: usize,
}

impl SemanticProfile {
    /// The headline, the mean macro share over blocks `2..L` at the most shots: the mean of the rows of
    /// profiles.csv that `is_headline` marks. `None` for a model of one block.
    pub fn headline(&self) -> Option<super::depth::WithError> {
        self.shots.last()?.share_mean
    }
}
