//! Settings of a semantic profile.

use super::estimate::EstimateSettings;
use crate::corpus::Category;

/// The default noise scales `b` of a profile. A conclusion should be the same at two neighbouring noise
/// scales.
pub const NOISE_SCALES: [f64; 5] = [0.1, 0.15, 0.2, 0.3, 0.4];

/// The noise scale of profiles.csv and of the controls.
const DEFAULT_NOISE_SCALE: f64 = 0.2;

/// The settings of a semantic profile measurement.
#[derive(Debug, Clone)]
pub struct SemanticSettings {
    /// The noise scales and the seed of the noise.
    pub estimate: EstimateSettings,
    /// Seed of the weights of the randomly initialised model; `None` to skip that model.
    pub random_init_seed: Option<u64>,
    /// Whether to measure the control with answers permuted within their relation.
    pub permuted_answers: bool,
    /// The category of the control with foreign queries; `None` to skip that control.
    pub foreign: Option<Category>,
}

impl SemanticSettings {
    /// The default noise scales with these seeds, without controls that need additional prompts.
    pub fn new(seed: u64, random_init_seed: Option<u64>) -> Self {
        let estimate = EstimateSettings {
            noise_scales: NOISE_SCALES.to_vec(),
            default_noise_scale: DEFAULT_NOISE_SCALE,
            seed,
        };
        Self { estimate, random_init_seed, permuted_answers: false, foreign: None }
    }
}
