//! The settings of a blind test.

use serde::{Deserialize, Serialize};

use crate::emergence::MeasureSettings;
use crate::error::Result;
use crate::mi::Scale;

/// What is asked and measured: everything that decides what a folder holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlindSettings {
    /// Corpora, by name or file; the headline is the mean over them.
    pub corpora: Vec<String>,
    /// Windows of each profile.
    pub windows: usize,
    /// Entities per series.
    pub shots: usize,
    /// Most shots of the in-context tasks.
    pub task_shots: usize,
    /// Questions per relation of the in-context tasks.
    pub items: usize,
    /// Series per corpus that a hidden model is shown to see what its next token owes to their beginning.
    pub context_windows: usize,
    /// One seed for all that is drawn.
    pub seed: u64,
    /// The estimator of the profiles, by name.
    pub estimator: String,
    /// What the channel's noise is relative to.
    pub scale: Scale,
}

impl BlindSettings {
    /// How profiles are measured.
    ///
    /// # Errors
    /// [`crate::Error::Unknown`] for an estimator that is not there.
    pub(super) fn measure(&self) -> Result<MeasureSettings> {
        MeasureSettings::by_name(&self.estimator, self.scale, self.seed)
    }
}

/// How predictions are made of what a folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionSettings {
    /// Recipes or members to be hidden; all if none is named.
    pub hide: Vec<String>,
    /// The estimator's noise scale at which emergence is predicted; `None` for an estimator without noise.
    pub noise_scale: Option<f64>,
    /// What the card is fitted on.
    pub features: Vec<String>,
    /// Whether sizes count as published: the size is then a feature, and a candidate has to beat the size
    /// line.
    pub sizes: bool,
    /// Nominal level of the intervals.
    pub level: f64,
    /// Port of the server; 0 takes a free one.
    pub port: u16,
}
