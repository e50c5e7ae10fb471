//! Reads texts from a table with a header and one text per row.

use std::path::Path;

use super::text::{Columns, GroupedText, Text};
use crate::disk::Lines;
use crate::error::{Error, Result};

/// Reads the texts of a table with this separator of cells.
///
/// # Errors
/// [`Error::Csv`] with the line of a malformed row, or for a header without the text column.
pub(super) fn rows(path: &Path, content: &str, columns: &Columns, separator: u8) -> Result<Vec<GroupedText>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(content.as_bytes());
    let malformed = |error: csv::Error| {
        let line = Lines::at(content.as_bytes(), error.position());
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
                "has {len} fields where the header has {expected_len}; put texts that contain a {} in \
                 quotes, and add missing fields",
                match separator {
                    b'\t' => "tab",
                    b';' => "semicolon",
                    _ => "comma",
                }
            ),
            _ => format!("{error}; correct the file"),
        };
        Error::Csv { path: path.into(), line, reason }
    };
    let header = reader.headers().map_err(malformed)?.clone();
    let at = |name: &str| header.iter().position(|column| column.trim() == name);
    let Some(text) = at(&columns.text) else {
        let known: Vec<_> = header.iter().collect();
        let reason = format!(
            "has no column `{}`; its columns are {}; give the name of the text column with --text-column",
            columns.text,
            known.join(", ")
        );
        return Err(Error::Csv { path: path.into(), line: 1, reason });
    };
    let group = at(&columns.group);
    let mut lines = Lines::new(content.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.map_err(malformed)?;
        let line = lines.of(row.position());
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        Ok((Text { text: cell(text), line }, group.map(cell)))
    });
    rows.collect()
}
