//! The results of a blind test: a row for each hidden member, and a summary.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::family::{Family, Member};
use super::member_profiles::Measured;
use super::prediction::{HiddenPrediction, UNIT};
use super::settings::{BlindSettings, PredictionSettings};
use crate::calibration::{ErrorSummary, Outcome};
use crate::disk::{self, Schema};
use crate::error::Result;
use crate::seed::sha256_hex;

/// One back-test: a row of blind.csv, for whoever writes or reads that file. Numbers of a prediction are
/// empty where `status` is not `ok`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the columns are explained in the README and by their names")]
pub struct BlindRow {
    pub target_model: String,
    pub family: String,
    pub n_params: usize,
    pub n_others: usize,
    pub y_hat: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub measured: f64,
    pub stderr_nats: Option<f64>,
    pub inside: Option<bool>,
    pub baseline_size: Option<f64>,
    pub baseline_mean: f64,
    pub random_init_nats: f64,
    pub widest_gap_nats: f64,
    pub estimator: String,
    pub noise_scale: Option<f64>,
    pub level: f64,
    pub regime: String,
    pub interval_method: String,
    pub backtest_coverage: Option<f64>,
    pub status: String,
    pub note: String,
    pub card_sha256: String,
}

impl BlindRow {
    pub(crate) fn new(
        member: &Member,
        hidden: &HiddenPrediction,
        measured: Measured,
        estimator: &str,
        how: &PredictionSettings,
    ) -> Self {
        let said = &hidden.prediction;
        let ends = said.low.zip(said.high);
        Self {
            target_model: member.id.clone(),
            family: member.family.clone(),
            n_params: member.n_params,
            n_others: hidden.n_others,
            y_hat: said.y_hat,
            low: said.low,
            high: said.high,
            measured: measured.emergence_nats,
            stderr_nats: measured.stderr_nats,
            inside: ends.map(|(low, high)| (low..=high).contains(&measured.emergence_nats)),
            baseline_size: hidden.baseline_size,
            baseline_mean: hidden.baseline_mean,
            random_init_nats: measured.random_init_nats,
            widest_gap_nats: measured.widest_gap_nats,
            estimator: estimator.into(),
            noise_scale: how.noise_scale,
            level: how.level,
            regime: said.regime.clone(),
            interval_method: said.interval_method.clone(),
            backtest_coverage: said.backtest_coverage,
            status: said.status.name().into(),
            note: said.note.clone(),
            card_sha256: said.card_sha256.clone(),
        }
    }
}

impl From<&BlindRow> for Outcome {
    fn from(row: &BlindRow) -> Self {
        Self {
            predicted: row.y_hat,
            interval: row.low.zip(row.high),
            measured: Some(row.measured),
            size_line: row.baseline_size,
            mean: Some(row.baseline_mean),
        }
    }
}

/// A whole blind test: blind.json.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlindTest {
    /// Form and version of the file.
    pub schema: Schema,
    /// All members of the family.
    pub members: Vec<Member>,
    /// What was asked and measured.
    pub settings: BlindSettings,
    /// The estimator's noise scale; null for an estimator without noise.
    pub noise_scale: Option<f64>,
    /// What cards were fitted on.
    pub features: Vec<String>,
    /// Whether sizes counted as published.
    pub sizes: bool,
    /// SHA-256 of blind.csv.
    pub blind_sha256: String,
    /// Nominal level of the intervals.
    pub level: f64,
    /// All rows together.
    pub summary: ErrorSummary,
    /// A row for each hidden member.
    pub rows: Vec<BlindRow>,
}

impl BlindTest {
    pub(crate) fn new(
        family: &Family,
        settings: &BlindSettings,
        how: &PredictionSettings,
        rows: Vec<BlindRow>,
    ) -> Self {
        let outcomes: Vec<Outcome> = rows.iter().map(Into::into).collect();
        Self {
            schema: Schema::new("surmise-blind", 4),
            members: family.members.clone(),
            settings: settings.clone(),
            noise_scale: how.noise_scale,
            features: how.features.clone(),
            sizes: how.sizes,
            blind_sha256: String::new(),
            level: how.level,
            summary: ErrorSummary::new(UNIT, &outcomes),
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
