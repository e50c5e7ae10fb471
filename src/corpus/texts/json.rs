//! Reads texts from JSON: an array, or one value on each line. A value is a string, or an object with the
//! text and its group.

use std::path::Path;

use serde_json::Value;

use super::text::{Columns, GroupedText, Text};
use crate::error::{Error, Result};

/// Reads texts from JSON lines.
///
/// # Errors
/// [`Error::Csv`] with the line of a value that is not a text.
pub(super) fn lines(path: &Path, content: &str, columns: &Columns) -> Result<Vec<GroupedText>> {
    let mut rows = vec![];
    for (line, row) in (1..).zip(content.lines()).filter(|(_, row)| !row.trim().is_empty()) {
        let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
        let value: Value = serde_json::from_str(row).map_err(|source| {
            fault(format!(
                "is not a JSON object ({source}); give one object on each \
                                             line"
            ))
        })?;
        rows.extend(grouped_text(path, line, value, columns)?);
    }
    Ok(rows)
}

/// Reads texts from a JSON array.
///
/// # Errors
/// [`Error::Csv`] with the line of an element that is not a text.
pub(super) fn array(path: &Path, content: &str, columns: &Columns) -> Result<Vec<GroupedText>> {
    let mut rows = vec![];
    // Parse the elements one by one, so that errors can name the line of an element.
    let mut rest = content.trim_start().strip_prefix('[').unwrap_or_default();
    let (mut line, mut counted) = (1, 0);
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if rest.is_empty() || rest.starts_with(']') {
            return Ok(rows);
        }
        let at = content.len() - rest.len();
        line += content[counted..at].matches('\n').count() as u64;
        counted = at;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
        let value = match values.next() {
            Some(value) => {
                value.map_err(|source| fault(format!("is not JSON ({source}); correct the file")))?
            }
            None => return Ok(rows),
        };
        rest = &rest[values.byte_offset()..];
        rows.extend(grouped_text(path, line, value, columns)?);
    }
}

/// The text of one value; `None` for `null`, which records a missing answer. Unlike `null`, an empty text is
/// an error.
fn grouped_text(path: &Path, line: u64, value: Value, columns: &Columns) -> Result<Option<GroupedText>> {
    let fault = |reason: String| Error::Csv { path: path.into(), line, reason };
    let object = match value {
        Value::Null => return Ok(None),
        Value::String(text) => return Ok(Some((Text { text, line }, None))),
        Value::Object(object) => object,
        _ => {
            return Err(fault(
                "is not a JSON object or string; give an object or a string for each \
                               text"
                    .into(),
            ));
        }
    };
    let field = |name: &str| match object.get(name) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(fault(format!("has a `{name}` that is not a string; give a string"))),
    };
    if object.get(&columns.text).is_some_and(Value::is_null) {
        return Ok(None);
    }
    let missing = || {
        let known: Vec<_> = object.keys().map(String::as_str).collect();
        let (text, known) = (&columns.text, known.join(", "));
        fault(format!(
            "has no field `{text}`; its fields are {known}; name the text field with --text-column"
        ))
    };
    let text = field(&columns.text)?.ok_or_else(missing)?;
    Ok(Some((Text { text, line }, field(&columns.group)?)))
}
