//! The importers that are built in.

use std::path::Path;

use super::importer::Importer;
use super::lm_eval::LmEval;
use crate::error::{Error, Result};

/// Every importer that is built in. The first that recognises a file reads it.
pub static ALL: &[&dyn Importer] = &[&LmEval];

/// The importer that recognises a file.
///
/// # Errors
/// [`Error::Foreign`] if none does, with the files that each of them reads.
pub(super) fn importer_of(path: &Path, bytes: &[u8]) -> Result<&'static dyn Importer> {
    ALL.iter().find(|importer| importer.sniff(path, bytes)).copied().ok_or_else(|| {
        let known: Vec<_> =
            ALL.iter().map(|importer| format!("{}: {}", importer.name(), importer.summary())).collect();
        let reason = format!("is not recognised by any importer; these are read: {}", known.join("; "));
        Error::Foreign { path: path.into(), reason }
    })
}
