//! How a semantic profile is measured.

use super::estimate::EstimateSettings;
use crate::corpus::Category;

/// The noise scales `b` that every profile reports. A conclusion should hold at two neighbouring ones.
pub const NOISE_SCALES: [f64; 5] = [0.1, 0.15, 0.2, 0.3, 0.4];

/// The noise scale of profiles.csv and of the controls.
const DEFAULT_NOISE_SCALE: f64 = 0.2;

/// How a semantic profile is measured.
#[derive(Debug, Clone)]
pub struct SemanticSettings {
    /// Noise scales and the seed of the noise.
    pub estimate: EstimateSettings,
    /// Seed of the randomly initialised model's weights, if it is measured too.
    pub random_init_seed: Option<u64>,
    /// Whether to measure the control whose answers are permuted within their relation.
    pub permuted_answers: bool,
    /// The category of the control with foreign queries, if it is measured.
    pub foreign: Option<Category>,
}

impl SemanticSettings {
    /// The default noise scales with these seeds, and no control that needs prompts of its own.
    pub fn new(seed: u64, random_init_seed: Option<u64>) -> Self {
        let estimate = EstimateSettings {
            noise_scales: NOISE_SCALES.to_vec(),
            default_noise_scale: DEFAULT_NOISE_SCALE,
            seed,
        };
        Self { estimate, random_init_seed, permuted_answers: false, foreign: None }
    }
}
