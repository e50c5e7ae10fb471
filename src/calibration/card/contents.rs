//! The contents of a card: the fit, its quality, the training range, and the provenance.

use serde::{Deserialize, Serialize};

use crate::calibration::table::columns::ColumnRoles;
use crate::calibration::table::link::Link;
use crate::calibration::table::stored_sample::StoredSample;
use crate::calibration::validation::calibration_fit::{CalibrationFit, SplitScores};
use crate::calibration::validation::coverage::Backtest;
use crate::calibration::validation::diagnostics::Diagnostics;
use crate::calibration::validation::range::TrainingRange;
use crate::calibration::validation::support::RegimeSupport;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

/// Name and version of the schema.
pub(super) const NAME: &str = "card";
pub(super) const VERSION: u32 = 11;

/// A calibration with its provenance and validity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name and version of the file's schema.
    pub schema: Schema,
    /// SHA-256 of the file with this field empty.
    pub card_sha256: String,
    /// The column that is predicted.
    pub target: String,
    /// Unit of the target.
    pub unit: String,
    /// Level of the intervals whose widths the card reports, and default level for predictions.
    pub level: f64,
    /// The scale on which candidates are linear and residuals are compared.
    pub link: Link,
    /// Whether every feature is available for a model behind an API.
    pub for_api: bool,
    /// Roles of the columns.
    pub columns: ColumnRoles,
    /// Counts and names of the training rows.
    pub rows: TrainingRows,
    /// For each regime, whether predictions are supported.
    pub support: Vec<RegimeSupport>,
    /// The fitted baselines and selected candidates.
    pub fit: CalibrationFit,
    /// Scores of every candidate on every split.
    pub scores: SplitScores,
    /// Coverage of every interval method on every split.
    pub backtest: Backtest,
    /// The training rows, from which predictions refit the fold models.
    pub training: StoredSample,
    /// The training range.
    pub range: TrainingRange,
    /// Rank, condition number and missing cells.
    pub diagnostics: Diagnostics,
    /// Notes on rows and columns that were left out or detected automatically.
    pub notes: Vec<String>,
}

/// The training rows of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRows {
    /// Number of rows.
    pub n: usize,
    /// Number of distinct models.
    pub n_models: usize,
    /// Names of the models, sorted.
    pub models: Vec<String>,
    /// Known families, sorted.
    pub families: Vec<String>,
    /// Number of rows of unknown family.
    pub n_without_family: usize,
    /// SHA-256 of the rows as sorted CSV of the columns that were used.
    pub observations_sha256: String,
}

impl Card {
    /// Adds the hash to a card.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a number in the card is NaN or infinite, which JSON cannot represent.
    pub(crate) fn with_checksum(mut self) -> Result<Self> {
        self.schema = Schema::new(NAME, VERSION);
        let fault = |reason: String| Error::Calibration { reason };
        let value = serde_json::to_value(&self).map_err(|source| fault(source.to_string()))?;
        if let Some(place) = null(&value) {
            return Err(fault(format!(
                "{} of the card is not a finite number",
                place.trim_start_matches('.')
            )));
        }
        self.card_sha256.clear();
        self.card_sha256 = sha256_hex(&self.to_bytes()?);
        Ok(self)
    }

    /// The card as JSON.
    ///
    /// # Errors
    /// [`Error::Write`] for NaN or infinity; [`Error::Json`] if the card cannot be serialised.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        disk::json_bytes("card".as_ref(), self)
    }
}

/// The path of the first null in a JSON value. NaN and infinity are serialised as null.
fn null(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => Some(String::new()),
        serde_json::Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, item)| null(item).map(|rest| format!("[{at}]{rest}")))
        }
        serde_json::Value::Object(fields) => {
            fields.iter().find_map(|(name, item)| null(item).map(|rest| format!(".{name}{rest}")))
        }
        _ => None,
    }
}
