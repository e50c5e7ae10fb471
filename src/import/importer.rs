//! The seam of this folder: an importer reads the results of one other tool.

use std::path::Path;

use super::imported::{ImportOptions, Imported};
use crate::error::Result;

/// Reads the result files of one tool.
pub trait Importer: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The tool and the files it reads, in one line.
    fn summary(&self) -> &'static str;

    /// Whether the tool wrote this file, by its path and its bytes.
    fn sniff(&self, path: &Path, bytes: &[u8]) -> bool;

    /// Reads one file, and files beside it that belong to it.
    ///
    /// # Errors
    /// [`crate::Error::Read`], [`crate::Error::Foreign`]
    fn import(&self, path: &Path, bytes: &[u8], options: &ImportOptions) -> Result<Imported>;

    /// Whether [`Importer::import`] may read this path beside an input.
    fn reads_beside(&self, _path: &Path) -> bool {
        false
    }
}
