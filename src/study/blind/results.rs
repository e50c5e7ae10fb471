//! The results of a blind test: all rows, and their errors beside those of the baselines.

use std::path::Path;

use serde::Serialize;

use super::family::{Family, Member};
use super::record::BlindRow;
use super::settings::{BlindSettings, PredictionSettings};
use super::summary::BlindSummary;
use crate::disk::{self, Schema};
use crate::error::Result;
use crate::seed::sha256_hex;

/// A whole blind test: blind.json.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlindTest {
    /// Form and version of the file.
    pub schema: Schema,
    /// All members of the family.
    pub members: Vec<Member>,
    /// What was asked and measured.
    pub settings: BlindSettings,
    /// The predicted column.
    pub target: String,
    /// What cards were fitted on.
    pub features: Vec<String>,
    /// Whether sizes counted as published.
    pub sizes: bool,
    /// SHA-256 of blind.csv.
    pub blind_sha256: String,
    /// Nominal level of the intervals.
    pub level: f64,
    /// All rows together, and those of each family.
    pub summaries: Vec<BlindSummary>,
    /// A row for each hidden member, corpus and number of examples.
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
