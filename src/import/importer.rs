//! Defines the trait [`Importer`]: an implementation reads the result files of one evaluation tool.

use std::path::Path;

use super::imported::{ImportOptions, Imported};
use super::opened::Opened;
use crate::error::Result;

/// Reads the result files of one tool.
pub trait Importer: Sync {
    /// The name of the importer.
    fn name(&self) -> &'static str;

    /// One line that names the tool and the files that the importer reads.
    fn summary(&self) -> &'static str;

    /// Whether the tool wrote this file. The content decides. If the content is not specific enough, the path
    /// decides.
    fn sniff(&self, file: &Opened<'_>) -> bool;

    /// Reads one file, and the files of the same run next to it.
    ///
    /// # Errors
    /// [`crate::Error::Read`] if a file cannot be read, [`crate::Error::Csv`] if a line is malformed, and
    /// [`crate::Error::Foreign`] if the content cannot be imported.
    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported>;

    /// Whether [`Importer::import`] reads this file together with another file, so that it is not imported on
    /// its own.
    fn reads_beside(&self, _path: &Path) -> bool {
        false
    }
}
