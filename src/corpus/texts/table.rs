//! Texts in a table with a header, a text on each row.

use std::path::Path;

use super::text::{Columns, GroupedText, Text};
use crate::disk::Lines;
use crate::error::{Error, Result};

/// The texts of a table whose cells are separated by `separator`.
///
/// # Errors
/// [`Error::Csv`] with the line of a row that is malformed, and for a header without the column of texts.
pub(super) fn rows(path: &Path, content: &str, columns: &Columns, separator: u8) -> Result<Vec<GroupedText>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(content.as_bytes());
    let malformed = |error: csv::Error| {
        let line = Lines::at(content.as_bytes(), error.position());
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
                "has {len} fields where the header has {expected_len}; put a text that holds a {} in \
                 quotes, leave none out",
                if separator == b'\t' { "tab" } else { "comma" }
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
            "has no column `{}`, but {}; name the one that holds the text with --text-column",
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
