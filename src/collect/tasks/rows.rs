//! Reads rows of a user's file, which is JSONL or CSV: all rows in sequence, or single rows by position.
//! Errors contain the line number.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::corpus::category;
use crate::disk;
use crate::error::{Error, Result};
use crate::seed;

pub(crate) type Members = BTreeMap<String, Value>;

/// The format of a file.
#[derive(Debug, Clone)]
pub(crate) enum FileForm {
    /// One JSON object per line.
    Json,
    /// CSV with these column names.
    Csv(Vec<String>),
}

/// One row, before it becomes an item.
pub(crate) struct SourceRow {
    /// Position in the file, in bytes.
    pub(crate) offset: u64,
    pub(crate) n_bytes: u64,
    /// Checksum of the content.
    pub(crate) crc: u32,
    pub(crate) members: Members,
}

/// The format and checksum of a file that was read to its end.
pub(crate) struct ReadSummary {
    pub(crate) form: FileForm,
    pub(crate) sha256: String,
}

impl SourceRow {
    /// An error in this row, with its line number.
    pub(crate) fn fault(&self, path: &Path, reason: impl Into<String>) -> Error {
        fault(path, self.offset, reason.into())
    }
}

/// Reads all rows of a file, one at a time.
///
/// # Errors
/// [`Error::Read`]; [`Error::Csv`] with the number of the bad line; errors of `each`.
pub(crate) fn read(
    path: &Path,
    file: File,
    mut each: impl FnMut(&SourceRow) -> Result<()>,
) -> Result<ReadSummary> {
    let unread = |source| Error::Read { path: path.into(), source };
    let mut reader = BufReader::with_capacity(1 << 16, Hashed { file, hash: Sha256::new() });
    let mut offset = 0;
    // A byte-order mark and whitespace before the first row are skipped.
    let first = loop {
        let bytes = reader.fill_buf().map_err(unread)?;
        if bytes.is_empty() {
            return Err(fault(path, 0, "the file is empty; give one item per line".into()));
        }
        let n_marks = if offset == 0 && bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let n_blanks = bytes[n_marks..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let first = bytes.get(n_marks + n_blanks).copied();
        reader.consume(n_marks + n_blanks);
        offset += (n_marks + n_blanks) as u64;
        if let Some(first) = first {
            break first;
        }
    };
    let (form, mut rest) = match first {
        b'{' => (FileForm::Json, json_rows(path, reader, offset, &mut each)?),
        b'[' => {
            let reason = "the file is a JSON list; give one object per line, without the brackets and \
                          commas of a list";
            return Err(fault(path, offset, reason.into()));
        }
        _ => {
            // An unclosed quote would turn the whole file into one cell, so the size of the file is checked
            // first.
            disk::check_size(&reader.get_ref().file).map_err(unread)?;
            csv_rows(path, reader, offset, &mut each)?
        }
    };
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(unread)?;
    Ok(ReadSummary { form, sha256: seed::hex(&rest.into_inner().hash.finalize()) })
}

/// A reader that hashes the bytes it reads.
struct Hashed {
    file: File,
    hash: Sha256,
}

impl Read for Hashed {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }
}

type Input = BufReader<Hashed>;

fn json_rows(
    path: &Path,
    mut reader: Input,
    mut offset: u64,
    each: &mut impl FnMut(&SourceRow) -> Result<()>,
) -> Result<Input> {
    let mut bytes = vec![];
    loop {
        bytes.clear();
        let n = disk::read_line(&mut reader, &mut bytes)
            .map_err(|source| Error::Read { path: path.into(), source })?;
        if n == 0 {
            return Ok(reader);
        }
        if bytes.len() as u64 != n {
            return Err(fault(
                path,
                offset,
                format!("is {n} bytes long, which is too long; give shorter prompts"),
            ));
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        if !line.trim_ascii().is_empty() {
            let members = object(line).map_err(|reason| fault(path, offset, reason))?;
            each(&SourceRow { offset, n_bytes: line.len() as u64, crc: crc32fast::hash(line), members })?;
        }
        offset += n;
    }
}

fn csv_rows(
    path: &Path,
    reader: Input,
    start: u64,
    each: &mut impl FnMut(&SourceRow) -> Result<()>,
) -> Result<(FileForm, Input)> {
    let mut reader = csv::Reader::from_reader(reader);
    let malformed = |error: &csv::Error| {
        let offset = error.position().map_or(0, csv::Position::byte);
        fault(path, start + offset, category::csv_reason(error))
    };
    let names: Vec<String> = reader
        .headers()
        .map_err(|error| malformed(&error))?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    if let Some(twice) =
        names.iter().enumerate().find_map(|(i, name)| names[..i].contains(name).then_some(name))
    {
        return Err(fault(path, start, format!("has the column `{twice}` twice")));
    }
    if !names.iter().any(|name| name == "id") {
        let reason = "has no column `id`; give the columns `id`, `prompt` or `messages`, `answer` or \
                      `answers`, and optionally `choices`";
        return Err(fault(path, start, reason.into()));
    }
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| malformed(&error))? {
        let begin = record.position().map_or(0, csv::Position::byte);
        let (offset, n_bytes) = (start + begin, reader.position().byte().saturating_sub(begin));
        let members = cells(&names, &record).map_err(|reason| fault(path, offset, reason))?;
        each(&SourceRow { offset, n_bytes, crc: crc(&record), members })?;
    }
    Ok((FileForm::Csv(names), reader.into_inner()))
}

impl FileForm {
    /// Parses one row; `None` if the bytes are not a row.
    pub(crate) fn row(&self, bytes: &[u8]) -> Option<SourceRow> {
        let (crc, members) = match self {
            Self::Json => (crc32fast::hash(bytes), object(bytes).ok()?),
            Self::Csv(names) => {
                let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
                let record = reader.records().next()?.ok()?;
                (crc(&record), cells(names, &record).ok()?)
            }
        };
        Some(SourceRow { offset: 0, n_bytes: bytes.len() as u64, crc, members })
    }
}

fn object(line: &[u8]) -> std::result::Result<Members, String> {
    let text = std::str::from_utf8(line).map_err(|error| {
        format!("is not UTF-8 at byte {} of the line; save the file as UTF-8", error.valid_up_to())
    })?;
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(members.into_iter().filter(|(_, value)| is_there(value)).collect()),
        Ok(_) => Err("is JSON, but not an object; give one JSON object per line".into()),
        Err(error) => Err(format!("is not a JSON object ({error})")),
    }
}

/// The members of a CSV row. The cells of `messages`, `answers` and `choices` contain JSON; all other cells
/// are strings.
fn cells(names: &[String], record: &csv::StringRecord) -> std::result::Result<Members, String> {
    let mut members = Members::new();
    for (name, cell) in names.iter().zip(record) {
        let listed = matches!(name.as_str(), "messages" | "answers" | "choices") && !cell.is_empty();
        let value = if listed {
            serde_json::from_str(cell)
                .map_err(|error| format!("has `{name}` that is not a JSON list ({error})"))?
        } else {
            Value::String(cell.into())
        };
        if is_there(&value) {
            members.insert(name.clone(), value);
        }
    }
    Ok(members)
}

/// Whether a member has a value; an empty cell has none.
fn is_there(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

fn crc(record: &csv::StringRecord) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    for cell in record {
        crc.update(&(cell.len() as u64).to_le_bytes());
        crc.update(cell.as_bytes());
    }
    crc.finalize()
}

/// An error that names the line at `offset` or, if that line is empty, the first non-empty line after it.
pub(crate) fn fault(path: &Path, offset: u64, reason: String) -> Error {
    Error::Csv { path: path.into(), line: line_of(path, offset).unwrap_or(1), reason }
}

/// The number of the line at `offset`, from 1. Lines are counted only for error messages.
pub(crate) fn line_of(path: &Path, offset: u64) -> std::io::Result<u64> {
    let mut reader = BufReader::new(disk::open(path)?);
    let (mut line, mut at) = (1, 0);
    loop {
        let bytes = reader.fill_buf()?;
        let n = bytes.len();
        for byte in bytes {
            if at >= offset && !matches!(byte, b'\r' | b'\n') {
                return Ok(line);
            }
            line += u64::from(*byte == b'\n');
            at += 1;
        }
        if n == 0 {
            return Ok(line);
        }
        reader.consume(n);
    }
}
