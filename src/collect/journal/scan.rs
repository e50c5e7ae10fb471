//! Scans a journal from the beginning for the positions of valid records, for damaged lines, and for an
//! incomplete last line.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::batch_record::BatchRecord;
use super::question_key::QuestionKey;
use super::record::{self, Record};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};

/// The position of a record in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordSpan {
    /// Number of bytes before the line.
    pub offset: u64,
    /// Number of bytes of the line, including the line feed.
    pub n_bytes: u64,
}

/// The parts of a record that the index needs, without prompts and answers.
#[derive(Debug, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub(super) enum IndexEntry {
    /// A configuration.
    Configuration { schema: Schema, configuration: Value },
    /// An intent.
    Intent {
        key: QuestionKey,
        attempt: u32,
        #[serde(default)]
        probe: bool,
        #[serde(default)]
        reserve_usd: Option<f64>,
        #[serde(default)]
        batch: Option<String>,
    },
    /// An outcome.
    Outcome {
        key: QuestionKey,
        attempt: u32,
        #[serde(default)]
        probe: bool,
        #[serde(default)]
        elapsed_s: f64,
        outcome: String,
        #[serde(default)]
        class: Option<String>,
        #[serde(default)]
        cost_usd: Option<f64>,
        #[serde(default)]
        possibly_paid: bool,
        #[serde(default)]
        batch: Option<String>,
    },
    /// The stage of a batch.
    Batch(BatchRecord),
}

/// A line that is not a valid record.
#[derive(Debug)]
pub(super) struct BadLine {
    pub(super) line: u64,
    pub(super) place: RecordSpan,
    pub(super) reason: String,
    /// Whether the line lacks its line feed, as the last line may after a crash.
    pub(super) is_torn: bool,
}

/// Scans a journal and passes the valid records to `valid`, in order. Returns the invalid lines.
pub(super) fn scan(path: &Path, mut valid: impl FnMut(RecordSpan, IndexEntry)) -> Result<Vec<BadLine>> {
    let fault = |source| Error::Storage { path: path.into(), source };
    let mut reader = BufReader::with_capacity(1 << 20, disk::open(path).map_err(fault)?);
    let (mut bytes, mut offset, mut line, mut bad) = (vec![], 0, 0, vec![]);
    loop {
        bytes.clear();
        let n_bytes = disk::read_line(&mut reader, &mut bytes).map_err(fault)?;
        if n_bytes == 0 {
            return Ok(bad);
        }
        line += 1;
        let place = RecordSpan { offset, n_bytes };
        match entry(&bytes) {
            Ok(IndexEntry::Configuration { schema, .. })
                if schema.name != record::NAME || schema.version != record::VERSION =>
            {
                return Err(other_version(path, &schema));
            }
            Ok(entry) => valid(place, entry),
            Err(reason) => bad.push(BadLine { line, place, reason, is_torn: !bytes.ends_with(b"\n") }),
        }
        offset += n_bytes;
    }
}

/// Parses a line. The error is the reason why the line is not a valid record.
fn entry(bytes: &[u8]) -> std::result::Result<IndexEntry, String> {
    let whole = bytes.strip_suffix(b"\n").ok_or("the line has no line feed at its end")?;
    record::checked(whole).ok_or("the checksum does not match the line")?;
    serde_json::from_slice(whole).map_err(|error| format!("the record cannot be read: {error}"))
}

/// The error for a journal of another version of surmise. The journal is not damaged, so it must not be
/// repaired.
fn other_version(path: &Path, schema: &Schema) -> Error {
    let reason = format!(
        "{} is {} version {}, written by surmise {}; this version of surmise reads {} version {}: use the \
         version that wrote the journal, or choose another folder",
        path.display(),
        schema.name,
        schema.version,
        schema.tool_version,
        record::NAME,
        record::VERSION
    );
    Error::Parameter { name: "the journal", reason }
}

/// Reads individual records by position.
#[derive(Debug)]
pub struct JournalReader {
    path: PathBuf,
    file: File,
    bytes: Vec<u8>,
}

impl JournalReader {
    /// Opens the journal for reading.
    ///
    /// # Errors
    /// [`Error::Storage`] if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let file = disk::open(path).map_err(|source| Error::Storage { path: path.into(), source })?;
        Ok(Self { path: path.into(), file, bytes: vec![] })
    }

    /// The record at a position.
    ///
    /// # Errors
    /// [`Error::Storage`] if the file cannot be read; [`Error::Journal`] if the file has changed since it was
    /// scanned.
    pub fn record(&mut self, place: RecordSpan) -> Result<Record> {
        let fault = |source| Error::Storage { path: self.path.clone(), source };
        self.file.seek(SeekFrom::Start(place.offset)).map_err(fault)?;
        self.bytes.resize(usize::try_from(place.n_bytes).unwrap_or(usize::MAX), 0);
        self.file.read_exact(&mut self.bytes).map_err(fault)?;
        let whole = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let damage = |reason: String| Error::Journal {
            path: self.path.clone(),
            line: 0,
            offset: place.offset,
            reason,
        };
        record::checked(whole).ok_or_else(|| damage("the checksum no longer matches the line".into()))?;
        serde_json::from_slice(whole).map_err(|error| damage(error.to_string()))
    }
}
