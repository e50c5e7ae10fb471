//! What is written as JSON and CSV. Every number is checked: NaN and infinity would be written as an empty
//! value, or as a word.

use std::io::{Error as IoError, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::finite::{self, NotFinite};

/// A value as indented JSON with a line feed at the end; messages name `path`.
///
/// # Errors
/// [`Error::Write`] for a value that holds NaN or infinity; [`Error::Json`]
pub fn json_bytes<T: Serialize + ?Sized>(path: &Path, value: &T) -> Result<Vec<u8>> {
    checked(path, value, serde_json::to_vec_pretty)
}

/// A value as JSON in one line.
///
/// # Errors
/// As those of [`json_bytes`].
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

/// Rows as CSV (RFC 4180) with a header, as bytes.
///
/// # Errors
/// [`Error::Write`] naming `path` if a row cannot be serialised, or holds NaN or infinity.
pub fn csv_bytes<T: Serialize>(path: &Path, rows: &[T]) -> Result<Vec<u8>> {
    let mut out = CsvRows::new(path, vec![], true);
    rows.iter().try_for_each(|row| out.add(row))?;
    out.finish()
}

/// Rows that are written as CSV one after another.
#[derive(Debug)]
pub struct CsvRows<W: Write> {
    path: PathBuf,
    writer: csv::Writer<W>,
    n_rows: usize,
}

impl<W: Write> CsvRows<W> {
    /// Writes to `out`, first the names of the fields if there is to be a header; messages name `path`.
    pub fn new(path: &Path, out: W, has_header: bool) -> Self {
        let writer = csv::WriterBuilder::new().has_headers(has_header).from_writer(out);
        Self { path: path.into(), writer, n_rows: 0 }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`Error::Write`] if it cannot be serialised or written, or holds NaN or infinity.
    pub fn add<T: Serialize>(&mut self, row: &T) -> Result<()> {
        finite::check(row).map_err(|fault| not_finite(&self.path, Some(self.n_rows), &fault))?;
        self.n_rows += 1;
        let fault = |source| Error::Write { path: self.path.clone(), source: IoError::other(source) };
        self.writer.serialize(row).map_err(fault)
    }

    /// What was written to.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub fn finish(self) -> Result<W> {
        let path = self.path;
        self.writer.into_inner().map_err(|error| Error::Write { path, source: error.into_error() })
    }
}

/// The error about a number that is none.
fn not_finite(path: &Path, row: Option<usize>, fault: &NotFinite) -> Error {
    let row = row.map_or_else(String::new, |row| format!(" of row {row}"));
    let reason = format!("{fault}{row} is no number, and nothing is written");
    Error::Write { path: path.into(), source: IoError::new(ErrorKind::InvalidData, reason) }
}
