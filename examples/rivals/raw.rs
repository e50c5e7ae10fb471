//! Reads the fetched files: CSV and JSON in the format of the public repositories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use surmise::{Error, Result};

use crate::frame::fault;

/// One row of a CSV file, by column.
pub type Record = BTreeMap<String, String>;

fn bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })
}

/// The rows of a CSV file, which must have these columns.
///
/// # Errors
/// [`Error::Read`]; [`Error::Csv`] if a column is missing, if a row has another length than the header, or if
/// there are no rows.
pub fn records(path: &Path, columns: &[impl AsRef<str>]) -> Result<Vec<Record>> {
    let bytes = bytes(path)?;
    let wrong = |line: usize, error: csv::Error| Error::Csv {
        path: path.into(),
        line: line as u64,
        reason: error.to_string(),
    };
    let mut reader = csv::Reader::from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes));
    let header = reader.headers().map_err(|error| wrong(1, error))?.clone();
    let lacks = |reason: String| Err(Error::Csv { path: path.into(), line: 1, reason });
    if let Some(column) = columns.iter().find(|column| header.iter().all(|name| name != column.as_ref())) {
        return lacks(format!(
            "there is no column {}; fetch the tables again with scripts/rivals-data",
            column.as_ref()
        ));
    }
    let rows = reader.records().enumerate().map(|(row, record)| {
        let record = record.map_err(|error| wrong(row + 2, error))?;
        Ok(header.iter().zip(&record).map(|(name, cell)| (name.to_owned(), cell.trim().to_owned())).collect())
    });
    let rows: Vec<Record> = rows.collect::<Result<_>>()?;
    if rows.is_empty() { lacks("the table has no rows".into()) } else { Ok(rows) }
}

/// A JSON file.
///
/// # Errors
/// [`Error::Read`], [`Error::Json`].
pub fn json(path: &Path) -> Result<Value> {
    serde_json::from_slice(&bytes(path)?).map_err(|source| Error::Json { path: path.into(), source })
}

/// The contents of a folder, sorted.
///
/// # Errors
/// [`Error::Read`].
pub fn listing(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::Read { path: folder.into(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// The cell of a column; empty if the file has no such column.
pub fn cell<'a>(record: &'a Record, column: &str) -> &'a str {
    record.get(column).map_or("", String::as_str)
}

/// A number with or without a percent sign; NaN if the cell contains no number.
pub fn number(cell: &str) -> f64 {
    cell.trim().trim_end_matches('%').parse().unwrap_or(f64::NAN)
}

/// A number at a path of keys in a JSON value.
///
/// # Errors
/// [`Error::Calibration`] naming the keys.
pub fn number_at(value: &Value, keys: &[&str]) -> Result<f64> {
    let found = keys.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_f64);
    found.ok_or_else(|| fault(format!("there is no number at {}", keys.join("."))))
}

/// A text at a path of keys in a JSON value.
///
/// # Errors
/// [`Error::Calibration`] naming the keys.
pub fn text_at<'a>(value: &'a Value, keys: &[&str]) -> Result<&'a str> {
    let found = keys.iter().try_fold(value, |value, key| value.get(key)).and_then(Value::as_str);
    found.ok_or_else(|| fault(format!("there is no text at {}", keys.join("."))))
}
