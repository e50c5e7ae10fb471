//! What a card holds: the fit, how good it is, the training range, and where it came from.

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
    /// Form and version of the file.
    pub schema: Schema,
    /// SHA-256 of the file with this field empty.
    pub card_sha256: String,
    /// The column that is predicted.
    pub target: String,
    /// Its unit.
    pub unit: String,
    /// Level that widths are reported at, and that intervals have unless another is asked for.
    pub level: f64,
    /// The scale on which candidates are linear and residuals compared.
    pub link: Link,
    /// Whether every feature can be had of a model behind an API.
    pub for_api: bool,
    /// The columns.
    pub columns: ColumnRoles,
    /// The training rows.
    pub rows: TrainingRows,
    /// The regimes in which predictions are supported.
    pub support: Vec<RegimeSupport>,
    /// The fit.
    pub fit: CalibrationFit,
    /// Scores of every candidate on every split.
    pub scores: SplitScores,
    /// Coverage of every interval method on every split.
    pub backtest: Backtest,
    /// The training rows, from which the models of the folds are made again.
    pub training: StoredSample,
    /// The training range.
    pub range: TrainingRange,
    /// Rank, condition, missing cells.
    pub diagnostics: Diagnostics,
    /// What was left out or found automatically.
    pub notes: Vec<String>,
}

/// The training rows of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingRows {
    /// Rows.
    pub n: usize,
    /// Distinct models.
    pub n_models: usize,
    /// Their names, sorted.
    pub models: Vec<String>,
    /// Families that are known, sorted.
    pub families: Vec<String>,
    /// Rows of unknown family.
    pub n_without_family: usize,
    /// SHA-256 of the rows as sorted CSV of the columns that were used.
    pub observations_sha256: String,
}

impl Card {
    /// Adds the hash to a card.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a number of it is NaN or infinite, which JSON could not hold.
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
    /// [`Error::Write`] for NaN or infinity, [`Error::Json`]
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        disk::json_bytes("card".as_ref(), self)
    }
}

/// The path of the first null in a JSON value, which is what NaN becomes.
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
