//! Serializes values as JSON and CSV. NaN and infinity are errors, because JSON would contain `null` and CSV
//! a word instead of a number.

use std::io::{Error as IoError, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::finite::{self, NotFinite};

/// Serializes a value as indented JSON with a final line feed; errors name `path`.
///
/// # Errors
/// [`Error::Write`] for a value that contains NaN or infinity; [`Error::Json`]
pub fn json_bytes<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>> {
    checked(path, value, serde_json::to_vec_pretty)
}

/// Serializes a value as JSON on one line.
///
/// # Errors
/// Returns the errors of [`json_bytes`].
pub fn json_line<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>> {
    checked(path, value, serde_json::to_vec)
}

fn checked<T: Serialize + ?Sized>(
    path: &Path,
    value: &T,
    write: fn(&T) -> serde_json::Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    finite::check(value).map_err(|fault| not_finite(path, None, &fault))?;
    let mut bytes = write(value).map_err(|source| Error::Json { path: path.into(), source })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Serializes rows as CSV (RFC 4180) with a header.
///
/// # Errors
/// [`Error::Write`], which names `path`, if a row cannot be serialized or contains NaN or infinity.
pub fn csv_bytes<T: Serialize>(path: &Path, rows: &[T]) -> Result<Vec<u8>> {
    let mut out = CsvRows::new(path, vec![], true);
    rows.iter().try_for_each(|row| out.add(row))?;
    out.finish()
}

/// Writes rows as CSV one by one.
#[derive(Debug)]
pub struct CsvRows<W: Write> {
    path: PathBuf,
    writer: csv::Writer<W>,
    n_rows: usize,
}

impl<W: Write> CsvRows<W> {
    /// Writes to `out`, with a header of field names if `has_header`; errors name `path`.
    pub fn new(path: &Path, out: W, has_header: bool) -> Self {
        let writer = csv::WriterBuilder::new().has_headers(has_header).from_writer(out);
        Self { path: path.into(), writer, n_rows: 0 }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::Write`] if the row cannot be serialized or written, or contains NaN or infinity.
    pub fn add<T: Serialize>(&mut self, row: &T) -> Result<()> {
        finite::check(row).map_err(|fault| not_finite(&self.path, Some(self.n_rows), &fault))?;
        self.n_rows += 1;
        let fault = |source| Error::Write { path: self.path.clone(), source: IoError::other(source) };
        self.writer.serialize(row).map_err(fault)
    }

    /// Finishes writing and returns the output.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub fn finish(self) -> Result<W> {
        let path = self.path;
        self.writer.into_inner().map_err(|error| Error::Write { path, source: error.into_error() })
    }
}

/// The error for a value that is NaN or infinite.
fn not_finite(path: &Path, row: Option<usize>, fault: &NotFinite) -> Error {
    let row = row.map_or_else(String::new, |row| format!(" of row {row}"));
    let reason = format!("{fault}{row} is not a finite number; nothing was written");
    Error::Write { path: path.into(), source: IoError::new(ErrorKind::InvalidData, reason) }
}
