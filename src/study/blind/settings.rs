//! The settings of a blind test.

use serde::{Deserialize, Serialize};

use crate::emergence::MeasureSettings;
use crate::error::Result;
use crate::mi::Scale;

/// Settings of questions and measurements, on which the contents of a folder depend.
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
    /// Series per corpus for the context information of the next token.
    pub context_windows: usize,
    /// Seed of all random draws.
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

/// Settings of the predictions, which are made from the files of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionSettings {
    /// Families or members to hide; all members if none is named.
    pub hide: Vec<String>,
    /// The estimator's noise scale at which emergence is predicted; `None` for an estimator without noise.
    pub noise_scale: Option<f64>,
    /// Features of the card.
    pub features: Vec<String>,
    /// Whether sizes count as published. If so, the size is a feature, and a candidate must beat the size
    /// baseline.
    pub sizes: bool,
    /// Nominal level of the intervals.
    pub level: f64,
    /// Port of the server; 0 takes a free one.
    pub port: u16,
}
