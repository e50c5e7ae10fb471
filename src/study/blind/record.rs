//! The results of a blind test: a row for each hidden member, and a summary.

use std::path::Path;

use serde::Serialize;

use super::family::{Family, Member};
use super::inside::Measured;
use super::prediction::HiddenPrediction;
use super::settings::{BlindSettings, PredictionSettings};
use crate::disk::{self, Schema};
use crate::error::Result;
use crate::seed::sha256_hex;

/// One back-test: a row of blind.csv. Numbers of a prediction are empty where `status` is not `ok`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the columns are explained in the README and by their names")]
pub struct BlindRow {
    pub target_model: String,
    pub family: String,
    pub n_params: usize,
    pub n_others: usize,
    pub predicted_nats: Option<f64>,
    pub low_nats: Option<f64>,
    pub high_nats: Option<f64>,
    pub measured_nats: f64,
    pub stderr_nats: f64,
    pub inside: Option<bool>,
    pub size_line_nats: Option<f64>,
    pub mean_nats: f64,
    pub random_init_nats: f64,
    pub widest_gap_nats: f64,
    pub noise_scale: f64,
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
        how: &PredictionSettings,
    ) -> Self {
        let said = &hidden.prediction;
        let ends = said.low.zip(said.high);
        Self {
            target_model: member.id.clone(),
            family: member.family.clone(),
            n_params: member.n_params,
            n_others: hidden.n_others,
            predicted_nats: said.y_hat,
            low_nats: said.low,
            high_nats: said.high,
            measured_nats: measured.emergence_nats,
            stderr_nats: measured.stderr_nats,
            inside: ends.map(|(low, high)| (low..=high).contains(&measured.emergence_nats)),
            size_line_nats: hidden.size_line_nats,
            mean_nats: hidden.mean_nats,
            random_init_nats: measured.random_init_nats,
            widest_gap_nats: measured.widest_gap_nats,
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

/// All back-tests together: errors over the members that were predicted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// Hidden members.
    pub n_hidden: usize,
    /// Of these, those with a prediction.
    pub n_predicted: usize,
    /// Mean absolute error of the predictions, nats.
    pub mae_nats: Option<f64>,
    /// Of the line in log10 parameters, which is told the hidden member's size.
    pub size_line_mae_nats: Option<f64>,
    /// Of the mean of the others.
    pub mean_mae_nats: Option<f64>,
    /// Measurements inside their intervals.
    pub n_inside: usize,
}

impl Summary {
    /// Adds rows up.
    pub fn of(rows: &[BlindRow]) -> Self {
        let predicted: Vec<&BlindRow> = rows.iter().filter(|row| row.predicted_nats.is_some()).collect();
        let mae = |value: fn(&BlindRow) -> Option<f64>| {
            let errors: Option<Vec<f64>> =
                predicted.iter().map(|row| Some((value(row)? - row.measured_nats).abs())).collect();
            errors
                .filter(|errors| !errors.is_empty())
                .map(|errors| errors.iter().sum::<f64>() / errors.len() as f64)
        };
        Self {
            n_hidden: rows.len(),
            n_predicted: predicted.len(),
            mae_nats: mae(|row| row.predicted_nats),
            size_line_mae_nats: mae(|row| row.size_line_nats),
            mean_mae_nats: mae(|row| Some(row.mean_nats)),
            n_inside: predicted.iter().filter(|row| row.inside == Some(true)).count(),
        }
    }

    /// In one sentence.
    pub fn sentence(&self, level: f64) -> String {
        let nats = |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value:.3}"));
        format!(
            "{} of {} hidden members predicted; mean absolute error {} nats, size line {}, mean {}; {} of \
             {} inside their {:.0} % interval",
            self.n_predicted,
            self.n_hidden,
            nats(self.mae_nats),
            nats(self.size_line_mae_nats),
            nats(self.mean_mae_nats),
            self.n_inside,
            self.n_predicted,
            100.0 * level
        )
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
    /// The estimator's noise scale.
    pub noise_scale: f64,
    /// What cards were fitted on.
    pub features: Vec<String>,
    /// Whether sizes counted as published.
    pub sizes: bool,
    /// SHA-256 of blind.csv.
    pub blind_sha256: String,
    /// Nominal level of the intervals.
    pub level: f64,
    /// All rows together.
    pub summary: Summary,
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
        Self {
            schema: Schema::new("surmise-blind", 2),
            members: family.members.clone(),
            settings: settings.clone(),
            noise_scale: how.noise_scale,
            features: how.features.clone(),
            sizes: how.sizes,
            blind_sha256: String::new(),
            level: how.level,
            summary: Summary::of(&rows),
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
