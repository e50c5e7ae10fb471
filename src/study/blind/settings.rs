//! The settings of a blind test.

use serde::{Deserialize, Serialize};

use crate::corpus::category::INVENTED;
use crate::corpus::{Category, DesignSettings, FactorialDesign};
use crate::emergence::semantic::SemanticSettings;
use crate::error::Result;

/// Settings of prompts and measurements, on which the contents of a folder depend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlindSettings {
    /// Corpora, by name or file.
    pub corpora: Vec<String>,
    /// Numbers of examples in a prompt; at each, every member gives one row for each corpus.
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
    /// The form of a prompt: that of a design without another one.
    pub(super) fn form() -> &'static str {
        DesignSettings::default().form.name
    }

    /// The designs, one for each corpus: the same prompts are asked of the API and read inside.
    ///
    /// # Errors
    /// Those of [`Category::load`] and [`FactorialDesign::draw`].
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

    /// How the inside of a member is measured. Random init is left out: no prediction uses it.
    pub(super) fn measure(&self) -> SemanticSettings {
        SemanticSettings::new(self.seed, None)
    }
}

/// Settings of the predictions, which are made from the files of a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionSettings {
    /// Families or members to hide; all members if none is named.
    pub hide: Vec<String>,
    /// The column that is predicted.
    pub target: String,
    /// Features of the card, columns of observations.csv; a column of text gives each value a level.
    pub features: Vec<String>,
    /// Whether sizes count as published. If so, the size is a feature, and a candidate must beat the size
    /// baseline.
    pub sizes: bool,
    /// Nominal level of the intervals.
    pub level: f64,
    /// Port of the server; 0 takes a free one.
    pub port: u16,
}
