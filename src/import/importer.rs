//! The seam of this folder: an importer reads the results of one other tool.

use std::path::Path;

use super::imported::{ImportOptions, Imported};
use super::opened::Opened;
use crate::error::Result;

/// Reads the result files of one tool.
pub trait Importer: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The tool and the files it reads, in one line.
    fn summary(&self) -> &'static str;

    /// Whether the tool wrote this file, by its content and, where that does not say so, by its path.
    fn sniff(&self, file: &Opened<'_>) -> bool;

    /// Reads one file, and files beside it that belong to it.
    ///
    /// # Errors
    /// [`crate::Error::Read`], [`crate::Error::Foreign`], [`crate::Error::Csv`]
    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported>;

    /// Whether [`Importer::import`] may read this path beside an input.
    fn reads_beside(&self, _path: &Path) -> bool {
        false
    }
}
