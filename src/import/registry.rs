//! The importers that are built in.

use std::path::Path;

use super::importer::Importer;
use super::lm_eval::LmEval;

/// Every importer that is built in. The first that recognises a file reads it.
pub static ALL: &[&dyn Importer] = &[&LmEval];

/// The importer that recognises a file; the first of the table where none does, whose error says what it
/// expects.
pub(super) fn importer_of(path: &Path, head: &[u8]) -> &'static dyn Importer {
    ALL.iter().find(|importer| importer.sniff(path, head)).copied().unwrap_or(ALL[0])
}
