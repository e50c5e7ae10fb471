//! Detects the format of a file of texts from its content. The extension decides only if the content is
//! ambiguous. A file that looks like structured data is never read as plain text.

use std::path::Path;

use serde::de::IgnoredAny;

use super::text::Columns;
use crate::error::{Error, Result};

/// The format of a file of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFormat {
    /// One JSON array of strings or of objects.
    JsonArray,
    /// A JSON object or string on each line.
    JsonLines,
    /// A table with a header; the byte is the separator of its cells.
    Table(u8),
    /// Plain text; blank lines separate the texts.
    Plain,
}

/// Candidate separators of cells, the most likely first.
const SEPARATORS: [u8; 3] = [b'\t', b',', b';'];

impl TextFormat {
    /// Detects the format of a file.
    ///
    /// # Errors
    /// [`Error::Csv`] with the line for JSON that does not parse; [`Error::Corpus`] for a table without the
    /// text column, for a single JSON object, and for HTML or XML.
    pub(super) fn of(path: &Path, content: &str, columns: &Columns) -> Result<Self> {
        let extension = extension(path);
        let is_json_lines = matches!(extension.as_str(), "jsonl" | "ndjson");
        let mut visible = content.chars().filter(|c| !c.is_whitespace());
        let (first, second) = (visible.next(), visible.next());
        let refused =
            |reason: &str| Err(Error::Corpus { name: path.display().to_string(), reason: reason.to_owned() });
        let whole = || serde_json::from_str::<IgnoredAny>(content);
        let malformed = |fault: &serde_json::Error| {
            let reason = format!("looks like JSON but does not parse ({fault}); correct the file");
            Err(Error::Csv { path: path.into(), line: fault.line() as u64, reason })
        };
        match (first, second) {
            _ if is_json_lines => return Ok(Self::JsonLines),
            (Some('['), second) => match whole() {
                Ok(_) => return Ok(Self::JsonArray),
                Err(fault) if extension == "json" || matches!(second, Some('"' | '{' | '[' | ']')) => {
                    return malformed(&fault);
                }
                Err(_) => {}
            },
            (Some('{'), second) => {
                let line = content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
                if serde_json::from_str::<IgnoredAny>(line).is_ok() {
                    return Ok(Self::JsonLines);
                }
                match whole() {
                    Ok(_) => {
                        return refused(
                            "is one JSON object; give an array of objects, or one object on each line",
                        );
                    }
                    Err(fault) if extension == "json" || matches!(second, Some('"' | '}')) => {
                        return malformed(&fault);
                    }
                    Err(_) => {}
                }
            }
            (Some(_), _) if extension == "json" => match whole() {
                Ok(_) => return refused("is JSON but not an array; give an array of strings or of objects"),
                Err(fault) => return malformed(&fault),
            },
            (Some('<'), Some('!' | '?' | 'h' | 'H')) => {
                let start: String = content.trim_start().chars().take(9).collect::<String>().to_lowercase();
                if ["<!doctype", "<html", "<?xml"].iter().any(|tag| start.starts_with(tag)) {
                    return refused("is HTML or XML; save its text as plain text or JSON lines");
                }
            }
            _ => {}
        }
        Self::table_or_plain(path, &extension, content, columns)
    }

    fn table_or_plain(path: &Path, extension: &str, content: &str, columns: &Columns) -> Result<Self> {
        let named = match extension {
            "csv" => Some(b','),
            "tsv" | "tab" => Some(b'\t'),
            _ => None,
        };
        let has_texts = |separator: &u8| has_column(content, *separator, &columns.text, named.is_some());
        if let Some(separator) = named.into_iter().chain(SEPARATORS).find(has_texts) {
            return Ok(Self::Table(separator));
        }
        match (named, tab_columns(content)) {
            // `table::rows` reports the missing column and lists the existing columns.
            (Some(separator), _) => Ok(Self::Table(separator)),
            (None, Some(n)) => {
                let reason = format!(
                    "looks like a table of {n} columns separated by tabs, but has no column `{}`; give the \
                     name of the text column with --text-column",
                    columns.text
                );
                Err(Error::Corpus { name: path.display().to_string(), reason })
            }
            (None, None) => Ok(Self::Plain),
        }
    }
}

/// The extension in lower case; for a compressed file, the extension before `.gz`.
fn extension(path: &Path) -> String {
    let of = |path: &Path| path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    match of(path).as_str() {
        "gz" => path.file_stem().map_or_else(String::new, |stem| of(Path::new(stem))),
        other => other.to_owned(),
    }
}

/// Whether a cell of the first row is the name of the text column. A first row with a single cell counts only
/// if the file is known to be a table or the separator is a comma.
fn has_column(content: &str, separator: u8, name: &str, is_table: bool) -> bool {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(content.as_bytes());
    let mut header = csv::StringRecord::new();
    if !reader.read_record(&mut header).unwrap_or(false) {
        return false;
    }
    let alone = header.len() == 1 && !is_table && separator != b',';
    !alone && header.iter().any(|cell| cell.trim() == name)
}

/// The number of columns, if every line has the same number of tabs between words; otherwise `None`.
fn tab_columns(content: &str) -> Option<usize> {
    let mut lines = content.lines().filter(|line| !line.trim().is_empty());
    let tabs = |line: &str| line.trim().matches('\t').count();
    let first = tabs(lines.next()?);
    let mut others = lines.map(tabs).peekable();
    let is_table = first > 0 && others.peek().is_some() && others.all(|n| n == first);
    is_table.then_some(first + 1)
}
