//! The row type of predictions.csv. It is the only declaration of the columns, for both writing and reading.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::calibration::validation::coverage::undercovers;
use crate::disk::{self, Lines};
use crate::error::{Error, Result};

/// The start of the note if the card was trained on the model.
pub(super) const TRAINED_ON: &str = "in the training data";
/// The start of the note in predictions of earlier versions, if the card was trained on the model.
const TRAINED_ON_BEFORE: &str = "was trained on";
/// Columns that every file of predictions has.
const REQUIRED: [&str; 2] = ["target_model", "y_hat"];

/// Whether a row of predictions.csv contains a prediction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictionStatus {
    /// There is a prediction with an interval.
    Ok,
    /// The calibration does not support a prediction; the note gives the reason.
    #[default]
    Unsupported,
}

impl PredictionStatus {
    /// The value in the column `status`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unsupported => "unsupported",
        }
    }
}

/// One row of predictions.csv, in the order of its columns. Unknown numbers are empty cells. If the status is
/// not `ok`, the numbers of the prediction are empty.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictionRow {
    /// The model that the prediction is for.
    pub target_model: String,
    /// Family of the model; empty if unknown.
    pub family: String,
    /// Corpus of the observation.
    pub corpus: String,
    /// Number of examples in the prompt; empty if the table does not give it.
    pub shots: Option<usize>,
    /// Version of the API, or snapshot of the model, that was queried.
    pub api_version: String,
    /// Date of the query.
    pub api_date: String,
    /// The predicted column.
    pub target: String,
    /// Unit of the predicted column.
    pub unit: String,
    /// The prediction.
    pub y_hat: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// Nominal level of the interval.
    pub level: Option<f64>,
    /// The measured value of the predicted column, if known. It is not used for the prediction.
    pub measured: Option<f64>,
    /// How the interval was made: a name of [`IntervalMethod`](crate::calibration::IntervalMethod).
    pub interval_method: String,
    /// Share of the true values that lay inside intervals of this kind in the back-test.
    pub backtest_coverage: Option<f64>,
    /// Number of back-tested predictions behind `backtest_coverage`.
    pub backtest_n: Option<usize>,
    /// Mean absolute error of the back-test in the situation of the row: its regime and its missing cells.
    pub backtest_mae: Option<f64>,
    /// Share of the back-test's errors that are at most the requested error.
    pub p_within: Option<f64>,
    /// Width of the 80 % interval, from the 10 % to the 90 % quantile.
    pub decile_width: Option<f64>,
    /// Name of the candidate that predicts; `blend` if several candidates predict.
    pub answered_by: String,
    /// Place of the row relative to the training rows: a name of [`Regime`](crate::calibration::Regime).
    pub regime: String,
    /// Mahalanobis distance from the training mean, over the first principal components.
    pub mahalanobis: Option<f64>,
    /// Percentage of the training rows that are nearer to the training mean.
    pub mahal_pct: Option<f64>,
    /// Signed distance of the model's size from the training range, in decades; 0 inside.
    pub size_gap_log10: Option<f64>,
    /// Features outside their training range, separated by spaces.
    pub out_of_range_features: String,
    /// Features without a value, separated by spaces.
    pub missing_features: String,
    /// Prediction of the mean baseline: the mean of the training responses.
    pub baseline_mean: Option<f64>,
    /// Prediction of the regression on log size.
    pub baseline_size: Option<f64>,
    /// Back-tested skill compared with the mean baseline, `1 - error / error of the mean`.
    pub skill_mean: Option<f64>,
    /// Back-tested skill compared with the regression on log size.
    pub skill_size: Option<f64>,
    /// Whether the card was trained on rows of this model. If it was, the error does not show how accurate
    /// predictions of other models are. Empty if unknown.
    pub in_training: Option<bool>,
    /// SHA-256 of the card that made the prediction.
    pub card_sha256: String,
    /// Whether there is a prediction.
    pub status: PredictionStatus,
    /// Why there is no prediction, or what limits the prediction.
    pub note: String,
}

/// Largest number in a prediction, so that the squares of errors stay finite.
const LARGEST: f64 = 1e100;

impl PredictionRow {
    /// Former and current names of the columns of predictions.csv and blind.csv.
    const RENAMED: [(&str, &str); 9] = [
        ("interval_recipe", "interval_method"),
        ("emergence_nats", "y_hat"),
        ("predicted_nats", "y_hat"),
        ("low_nats", "low"),
        ("high_nats", "high"),
        ("measured_nats", "measured"),
        ("baseline_nats", "baseline_size"),
        ("size_line_nats", "baseline_size"),
        ("mean_nats", "baseline_mean"),
    ];

    /// The reason for refusing a table of an earlier version: the renamed columns and their new names.
    pub(crate) fn renamed(has: impl Fn(&str) -> bool) -> Option<String> {
        // Profiles and observations also have a column `emergence_nats`, so this column alone does not show
        // that a file is old.
        let is_old = has("low_nats") || has("baseline_nats");
        let pairs = Self::RENAMED.iter().filter(|(old, _)| *old != "emergence_nats" || is_old);
        disk::renamed_columns(pairs, has)
    }

    /// Reads predictions.csv. Columns are found by name. Missing columns are read as empty, and unknown
    /// columns are ignored.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read. [`Error::Csv`] for a file without predictions, with the
    /// column names of an earlier version, or with a cell that is not a valid number.
    pub fn read(path: &Path) -> Result<Vec<Self>> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        Self::from_bytes(path, &bytes)
    }

    /// Parses the bytes of predictions.csv. `path` only appears in messages.
    ///
    /// # Errors
    /// Returns the errors of [`Self::read`], except [`Error::Read`].
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Vec<Self>> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let fault = |line: u64, reason: String| Error::Csv { path: path.into(), line, reason };
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let invalid = |error: &csv::Error| fault(Lines::at(bytes, error.position()), error.to_string());
        let header = reader.headers().map_err(|error| invalid(&error))?.clone();
        let has = |name: &str| header.iter().any(|column| column == name);
        if let Some(reason) = Self::renamed(has) {
            return Err(fault(1, reason));
        }
        if let Some(name) = REQUIRED.iter().find(|name| !has(name)) {
            return Err(fault(1, format!("there is no column `{name}`; give a file of predictions")));
        }
        let (mut rows, mut lines) = (vec![], Lines::new(bytes));
        for record in reader.records() {
            let record = record.map_err(|error| invalid(&error))?;
            let line = lines.of(record.position());
            let row: Self = record.deserialize(Some(&header)).map_err(|error| {
                let cell = named_cell(&error, &header, &record);
                fault(line, cell.unwrap_or_else(|| error.to_string()))
            })?;
            if let Some(name) = row.odd_number() {
                return Err(fault(
                    line,
                    format!("column `{name}` contains NaN or a number beyond +-{LARGEST:e}; correct it"),
                ));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// Serialises rows as predictions.csv. `path` only appears in messages.
    ///
    /// # Errors
    /// [`Error::Write`] if the rows cannot be written as CSV.
    pub fn to_bytes(path: &Path, rows: &[Self]) -> Result<Vec<u8>> {
        if !rows.is_empty() {
            return disk::csv_bytes(path, rows);
        }
        // Without rows, the file contains only the header.
        let bytes = disk::csv_bytes(path, &[Self::default()])?;
        let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
        Ok(bytes[..end].to_vec())
    }

    /// Whether the card was trained on rows of this model. Files of earlier versions record this only in the
    /// note.
    pub fn is_in_training(&self) -> bool {
        let said = || [TRAINED_ON, TRAINED_ON_BEFORE].iter().any(|words| self.note.starts_with(words));
        self.in_training.unwrap_or_else(said)
    }

    /// The measured value that counts for the error; `None` if the card was trained on the model.
    pub fn judged_by(&self) -> Option<f64> {
        self.measured.filter(|_| !self.is_in_training())
    }

    /// Prediction minus measurement, if both are known and the card was not trained on the model.
    pub fn error(&self) -> Option<f64> {
        Some(self.y_hat? - self.judged_by()?)
    }

    /// Whether the interval contains the measured value, if both are known and the card was not trained on
    /// the model.
    pub fn is_inside(&self) -> Option<bool> {
        Some((self.low?..=self.high?).contains(&self.judged_by()?))
    }

    /// Whether the back-tested coverage is far below the level of the interval.
    pub fn undercovers(&self) -> bool {
        let coverage = self.backtest_coverage.zip(self.level);
        coverage.is_some_and(|(held, level)| undercovers(held, level))
    }

    fn odd_number(&self) -> Option<&'static str> {
        let numbers = [
            ("y_hat", self.y_hat),
            ("low", self.low),
            ("high", self.high),
            ("level", self.level),
            ("measured", self.measured),
            ("backtest_coverage", self.backtest_coverage),
            ("backtest_mae", self.backtest_mae),
            ("p_within", self.p_within),
            ("decile_width", self.decile_width),
            ("mahalanobis", self.mahalanobis),
            ("mahal_pct", self.mahal_pct),
            ("size_gap_log10", self.size_gap_log10),
            ("baseline_mean", self.baseline_mean),
            ("baseline_size", self.baseline_size),
            ("skill_mean", self.skill_mean),
            ("skill_size", self.skill_size),
        ];
        // NaN lies outside every range, so it is reported as well.
        let is_odd = |value: f64| !(-LARGEST..=LARGEST).contains(&value);
        let mut found = numbers.into_iter().filter(|(_, cell)| cell.is_some_and(is_odd));
        found.next().map(|(name, _)| name)
    }
}

/// The message on the column and cell that could not be parsed.
fn named_cell(error: &csv::Error, header: &csv::StringRecord, record: &csv::StringRecord) -> Option<String> {
    let csv::ErrorKind::Deserialize { err, .. } = error.kind() else { return None };
    let at = usize::try_from(err.field()?).ok()?;
    let (name, cell) = (header.get(at)?, record.get(at)?);
    Some(format!("has {cell:?} in column `{name}`: {}; correct it", err.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<PredictionRow>> {
        PredictionRow::from_bytes("predictions.csv".as_ref(), text.as_bytes())
    }

    #[test]
    fn rows_that_are_written_are_read_back_and_absent_numbers_are_empty_cells() {
        let known = PredictionRow {
            target_model: "a, b".into(),
            y_hat: Some(0.1 + 0.2),
            low: Some(-1.5),
            high: Some(2.0),
            measured: Some(2.0),
            backtest_n: Some(7),
            status: PredictionStatus::Ok,
            ..PredictionRow::default()
        };
        let refused = PredictionRow { target_model: "c".into(), note: "why".into(), ..Default::default() };
        let rows = vec![known, refused];
        let bytes = PredictionRow::to_bytes("predictions.csv".as_ref(), &rows).expect("CSV");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with(
            "target_model,family,corpus,shots,api_version,api_date,target,unit,y_hat,low,high,level,"
        ));
        assert!(text.contains("unsupported,why"), "{text}");
        assert_eq!(read(&text).expect("rows"), rows);
        assert_eq!([rows[0].is_inside(), rows[1].is_inside()], [Some(true), None]);
    }

    #[test]
    fn columns_are_found_by_name_and_what_is_wrong_is_named() {
        let rows = read("y_hat,other,target_model\n1,x,m\n,y,k\n").expect("rows");
        assert_eq!((rows[0].y_hat, rows[1].y_hat, rows[1].target_model.as_str()), (Some(1.0), None, "k"));
        let refused = |text: &str, parts: &[&str]| {
            let message = read(text).expect_err("a refusal").to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        refused("target_model,y_hat\nm,1\nk,two\n", &["line 3", "\"two\"", "`y_hat`"]);
        refused("target_model,y_hat\nm,NaN\n", &["line 2", "`y_hat`", "NaN"]);
        refused("target_model,emergence_nats,low_nats\nm,1,0\n", &["emergence_nats", "y_hat"]);
        refused("target_model,y_hat,interval_recipe\nm,1,forward\n", &["interval_method"]);
        refused("target_model,low\nm,1\n", &["no column `y_hat`"]);
    }
}
