//! The card: a calibration as a file. It holds all that a prediction needs and where it came from, and a hash
//! of itself, so that a card edited by hand is found out.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::calibration::link::Link;
use crate::calibration::prediction::support::{Range, Support};
use crate::calibration::table::plan::Columns;
use crate::calibration::validation::backtest::Backtest;
use crate::calibration::validation::diagnostics::Diagnostics;
use crate::calibration::validation::fit::{Fit, Scores};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

const NAME: &str = "card";
const VERSION: u32 = 8;

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
    pub columns: Columns,
    /// The training rows.
    pub rows: Rows,
    /// What may be asked.
    pub support: Vec<Support>,
    /// The fit.
    pub fit: Fit,
    /// Scores of every candidate on every split.
    pub scores: Scores,
    /// Coverage of every recipe on every split.
    pub backtest: Backtest,
    /// The training range.
    pub range: Range,
    /// Rank, condition, missing cells.
    pub diagnostics: Diagnostics,
    /// What was left out or found by itself.
    pub notes: Vec<String>,
}

/// The training rows of a card.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Rows.
    pub n: usize,
    /// Distinct targets.
    pub n_targets: usize,
    /// Their names, sorted.
    pub targets: Vec<String>,
    /// Families that are known, sorted.
    pub families: Vec<String>,
    /// Rows of unknown family.
    pub n_without_family: usize,
    /// SHA-256 of the rows as sorted CSV of the columns that were used.
    pub observations_sha256: String,
}

impl Card {
    /// A card without its hash gets it.
    ///
    /// # Errors
    /// [`Error::Fit`] if a number of it is NaN or infinite, which JSON could not hold.
    pub(crate) fn seal(mut self) -> Result<Self> {
        self.schema = Schema::new(NAME, VERSION);
        let fault = |reason: String| Error::Fit { reason };
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
    /// [`Error::Json`]
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let json = serde_json::to_vec_pretty(self);
        let mut bytes = json.map_err(|source| Error::Json { path: "card".into(), source })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Writes the card, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Write`]
    pub fn write(&self, path: &Path) -> Result<()> {
        disk::write(path, &self.to_bytes()?)
    }

    /// Reads a card. A byte order mark that an editor put before it is none of its bytes, as in a table.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Json`]; [`Error::Config`] for another form or version, or a card that is not
    /// as it was written.
    pub fn read(path: &Path) -> Result<Self> {
        let whole = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let bytes = whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&whole);
        let json = |source| Error::Json { path: path.into(), source };
        let fault = |reason: String| Error::Config { path: path.into(), reason };
        let card: Self = serde_json::from_slice(bytes)
            .map_err(|source| of_another_form(bytes).map_or_else(|| json(source), fault))?;
        if let Some(reason) = other_schema(&card.schema) {
            return Err(fault(reason));
        }
        if sha256_hex(&without(bytes, card.card_sha256.as_bytes())) != card.card_sha256 {
            return Err(fault(
                "is not as it was written: its hash does not fit its content; calibrate again instead of \
                 editing"
                    .into(),
            ));
        }
        card.check_lengths()
            .map_err(|reason| fault(format!("is no card that surmise wrote: {reason}; calibrate again")))?;
        Ok(card)
    }
}

/// What is wrong with a file that is no card, if its beginning tells.
fn of_another_form(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<Schema>,
    }
    let head: Head = serde_json::from_slice(bytes).ok()?;
    head.schema.map_or_else(
        || Some("has no schema; it is no card of surmise".into()),
        |schema| other_schema(&schema),
    )
}

fn other_schema(schema: &Schema) -> Option<String> {
    let Schema { name, version, .. } = schema;
    ((name.as_str(), *version) != (NAME, VERSION)).then(|| {
        format!(
            "is {name} version {version}; this surmise reads {NAME} version {VERSION}, so calibrate again"
        )
    })
}

/// The bytes without the first place where `part` stands.
fn without(bytes: &[u8], part: &[u8]) -> Vec<u8> {
    let at = bytes.windows(part.len().max(1)).position(|window| window == part).unwrap_or(bytes.len());
    let after = (at + part.len()).min(bytes.len());
    [&bytes[..at], &bytes[after..]].concat()
}

/// Where a JSON value holds null, which is what NaN becomes.
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
