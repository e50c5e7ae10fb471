//! Reads and writes cards. A card contains a hash of its own content, which detects edits.

use std::path::Path;

use serde::Deserialize;

use super::card_validation::check_card;
use super::contents::{Card, NAME, VERSION};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

/// Part of the error for a card of an earlier version: how the members of the file have changed.
const WHAT_CHANGED: &str = " (renamed since: `formula` to `fitted`, with `candidate` and `parameters`; \
                            `within` and `beyond` to `within_range` and `beyond_range`; `recipe` to \
                            `interval_method`; `targets` to `models`; the splits `target` and `family` to \
                            `leave_model_out` and `leave_family_out`; `held` to `held_out`; version 10 adds \
                            the training rows, version 11 the skill of each selected candidate)";

/// Advice in the errors for a file that is not a card.
const MAKES_ONE: &str = "`surmise calibrate TABLE --target COL -o card.json` makes a card";

impl Card {
    /// Writes the card atomically.
    ///
    /// # Errors
    /// [`Error::Json`] if the card cannot be serialised, [`Error::Write`] if the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        disk::write(path, &self.to_bytes()?)
    }

    /// Reads a card. A byte order mark is skipped, as in a table.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::Json`] if it is not JSON, [`Error::Config`] for a
    /// file with another schema or an edited card.
    pub fn read(path: &Path) -> Result<Self> {
        let whole = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let bytes = whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&whole);
        let json = |source| Error::Json { path: path.into(), source };
        let fault = |reason: String| Error::Config { path: path.into(), reason };
        // A file that does not start with a brace is more often a table given by mistake than a damaged card.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(fault(format!("is not a card; {MAKES_ONE}")));
        }
        let card: Self = serde_json::from_slice(bytes)
            .map_err(|source| of_another_form(bytes).map_or_else(|| json(source), fault))?;
        if let Some(reason) = other_schema(&card.schema) {
            return Err(fault(reason));
        }
        if sha256_hex(&without(bytes, card.card_sha256.as_bytes())) != card.card_sha256 {
            return Err(fault(
                "was edited or damaged: its hash does not match its content; calibrate again".into(),
            ));
        }
        check_card(&card)
            .map_err(|reason| fault(format!("was not written by surmise: {reason}; calibrate again")))?;
        Ok(card)
    }
}

/// The reason why a file does not parse as a card, if its schema explains it.
fn of_another_form(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<Schema>,
    }
    let head: Head = serde_json::from_slice(bytes).ok()?;
    head.schema.map_or_else(
        || Some(format!("has no schema, so it is not a card; {MAKES_ONE}")),
        |schema| other_schema(&schema),
    )
}

fn other_schema(schema: &Schema) -> Option<String> {
    let Schema { name, version, .. } = schema;
    if name != NAME {
        return Some(format!("is {name} version {version}, not a card; {MAKES_ONE}"));
    }
    (*version != VERSION).then(|| {
        let since = if *version < VERSION { WHAT_CHANGED } else { "" };
        format!(
            "is {name} version {version}; this version of surmise reads {NAME} version {VERSION}{since}, so \
             calibrate again"
        )
    })
}

/// The bytes without the first occurrence of `part`.
fn without(bytes: &[u8], part: &[u8]) -> Vec<u8> {
    let at = bytes.windows(part.len().max(1)).position(|window| window == part).unwrap_or(bytes.len());
    let after = (at + part.len()).min(bytes.len());
    [&bytes[..at], &bytes[after..]].concat()
}
