//! Reading and writing a card. It holds a hash of itself, which detects edits.

use std::path::Path;

use serde::Deserialize;

use super::card_validation::check_card;
use super::contents::{Card, NAME, VERSION};
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

/// What differs from the version before, in the words of the file.
const WHAT_CHANGED: &str = " (`formula` is `fitted`, with `candidate` and `parameters`; `within`, `beyond` \
                            are `within_range`, `beyond_range`; `recipe` is `interval_method`; `targets` \
                            are `models`; the splits `target`, `family` are `leave_model_out`, \
                            `leave_family_out`; `held` is `held_out`; since 10 a card holds its training \
                            rows, since 11 the skill of each choice)";

impl Card {
    /// Writes the card, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::Write`]
    pub fn write(&self, path: &Path) -> Result<()> {
        disk::write(path, &self.to_bytes()?)
    }

    /// Reads a card. A byte order mark is skipped, as in a table.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Json`]; [`Error::Config`] for another schema, or a card that was
    /// edited.
    pub fn read(path: &Path) -> Result<Self> {
        let whole = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let bytes = whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&whole);
        let json = |source| Error::Json { path: path.into(), source };
        let fault = |reason: String| Error::Config { path: path.into(), reason };
        let card: Self = serde_json::from_slice(bytes)
            .map_err(|source| of_another_form(bytes).map_or_else(|| json(source), fault))?;
        if let Some(reason) = other_schema(&card.schema) {
            return Err(fault(reason));
        }
        if sha256_hex(&without(bytes, card.card_sha256.as_bytes())) != card.card_sha256 {
            return Err(fault(
                "was edited: its hash does not match its content; calibrate again instead of editing".into(),
            ));
        }
        check_card(&card)
            .map_err(|reason| fault(format!("was not written by surmise: {reason}; calibrate again")))?;
        Ok(card)
    }
}

/// What is wrong with a file that does not parse as a card, where its schema tells.
fn of_another_form(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<Schema>,
    }
    let head: Head = serde_json::from_slice(bytes).ok()?;
    head.schema.map_or_else(
        || Some("has no schema; it is not a card of surmise".into()),
        |schema| other_schema(&schema),
    )
}

fn other_schema(schema: &Schema) -> Option<String> {
    let Schema { name, version, .. } = schema;
    ((name.as_str(), *version) != (NAME, VERSION)).then(|| {
        let since = if name == NAME && *version < VERSION { WHAT_CHANGED } else { "" };
        format!(
            "is {name} version {version}; this surmise reads {NAME} version {VERSION}{since}, so calibrate \
             again"
        )
    })
}

/// The bytes without the first place where `part` stands.
fn without(bytes: &[u8], part: &[u8]) -> Vec<u8> {
    let at = bytes.windows(part.len().max(1)).position(|window| window == part).unwrap_or(bytes.len());
    let after = (at + part.len()).min(bytes.len());
    [&bytes[..at], &bytes[after..]].concat()
}
