//! Defines the settings of a blind test.

use serde::{Deserialize, Serialize};

use crate::corpus::category::INVENTED;
use crate::corpus::{Category, DesignSettings, FactorialDesign};
use crate::emergence::semantic::SemanticSettings;
use crate::error::Result;

/// Settings of prompts and measurements. The files of a folder depend on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlindSettings {
    /// Corpora: names or files.
    pub corpora: Vec<String>,
    /// Numbers of examples in a prompt. Each member has one row for each number and corpus.
    pub shots: Vec<usize>,
    /// Example sets, S.
    pub sets: usize,
    /// Queries, X.
    pub queries: usize,
    /// Seed of all random draws.
    pub seed: u64,
}

impl Default for BlindSettings {
    fn default() -> Self {
        let corpora = INVENTED.map(String::from).to_vec();
        Self { corpora, shots: vec![1, 2, 4, 8], sets: 10, queries: 10, seed: 0 }
    }
}

impl BlindSettings {
    /// The prompt form, which is always the default form.
    pub(super) fn form() -> &'static str {
        DesignSettings::default().form.name
    }

    /// The designs, one for each corpus. The API receives the same prompts as the measurement of the weights.
    ///
    /// # Errors
    /// Returns the errors of [`Category::load`] and [`FactorialDesign::draw`].
    pub(super) fn designs(&self) -> Result<Vec<FactorialDesign>> {
        let how = DesignSettings {
            sets: self.sets,
            queries: self.queries,
            shots: self.shots.clone(),
            seed: self.seed,
            ..DesignSettings::default()
        };
        self.corpora.iter().map(|name| FactorialDesign::draw(&Category::load(name)?, &how)).collect()
    }

    /// Settings for measuring a member. Random initialisation is not measured, because no prediction uses it.
    pub(super) fn measure(&self) -> SemanticSettings {
        SemanticSettings::new(self.seed, None)
    }
}

/// Settings of the predictions.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionSettings {
    /// Families or members to hide; all members if empty.
    pub hide: Vec<String>,
    /// The target column.
    pub target: String,
    /// Features of the card: columns of observations.csv. A text column gets one level for each value.
    pub features: Vec<String>,
    /// Whether model sizes are published. If so, the size is a feature, and the card selects only regressions
    /// with a lower error than the size baseline.
    pub sizes: bool,
    /// Nominal coverage of the intervals.
    pub level: f64,
    /// Port of the server. Port 0 selects a free port.
    pub port: u16,
}
