//! Defines the results of a blind test: all rows, and the errors of predictions and baselines.

use std::path::Path;

use serde::Serialize;

use super::family::{Family, Member};
use super::record::BlindRow;
use super::settings::{BlindSettings, PredictionSettings};
use super::summary::BlindSummary;
use crate::disk::{self, Schema};
use crate::error::Result;
use crate::seed::sha256_hex;

/// A blind test: the content of blind.json.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlindTest {
    /// Name and version of the file format.
    pub schema: Schema,
    /// All members.
    pub members: Vec<Member>,
    /// Settings of prompts and measurements.
    pub settings: BlindSettings,
    /// The predicted column.
    pub target: String,
    /// The features of the cards.
    pub features: Vec<String>,
    /// Whether model sizes were used as a feature, because they are published.
    pub sizes: bool,
    /// SHA-256 of blind.csv.
    pub blind_sha256: String,
    /// Nominal coverage of the intervals.
    pub level: f64,
    /// A summary of all rows, and one summary for each family.
    pub summaries: Vec<BlindSummary>,
    /// One row for each hidden member, corpus and number of examples.
    pub rows: Vec<BlindRow>,
}

impl BlindTest {
    pub(crate) fn new(
        family: &Family,
        settings: &BlindSettings,
        how: &PredictionSettings,
        rows: Vec<BlindRow>,
    ) -> Self {
        Self {
            schema: Schema::new("surmise-blind", 5),
            members: family.members.clone(),
            settings: settings.clone(),
            target: how.target.clone(),
            features: how.features.clone(),
            sizes: how.sizes,
            blind_sha256: String::new(),
            level: how.level,
            summaries: BlindSummary::all(&rows),
            rows,
        }
    }

    /// The rows as CSV.
    ///
    /// # Errors
    /// [`crate::Error::Write`]
    pub fn csv(&self) -> Result<Vec<u8>> {
        disk::csv_bytes("blind.csv".as_ref(), &self.rows)
    }

    pub(crate) fn write(&mut self, folder: &Path) -> Result<()> {
        let csv = self.csv()?;
        self.blind_sha256 = sha256_hex(&csv);
        disk::write(&folder.join("blind.csv"), &csv)?;
        disk::write_json(&folder.join("blind.json"), self)
    }
}
