//! Defines the trait [`Importer`], which reads the results of one tool.

use std::path::Path;

use super::imported::{ImportOptions, Imported};
use super::opened::Opened;
use crate::error::Result;

/// Reads the result files of one tool.
pub trait Importer: Sync {
    /// The name of the importer.
    fn name(&self) -> &'static str;

    /// The tool and the files that the importer reads, in one line.
    fn summary(&self) -> &'static str;

    /// Whether the tool wrote this file, judged by its content and, if that is not enough, by its path.
    fn sniff(&self, file: &Opened<'_>) -> bool;

    /// Reads one file, and files next to it that belong to it.
    ///
    /// # Errors
    /// [`crate::Error::Read`], [`crate::Error::Foreign`], [`crate::Error::Csv`]
    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported>;

    /// Whether [`Importer::import`] may read this path together with another input.
    fn reads_beside(&self, _path: &Path) -> bool {
        false
    }
}
