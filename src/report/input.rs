//! The inputs that reports declare.

use std::path::{Path, PathBuf};

use crate::calibration::PredictionRow;
use crate::disk;
use crate::error::{Error, Result};
use crate::observations;

/// The file that a report reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportInput {
    /// Its name in a folder.
    pub file: &'static str,
    /// The columns that it must have, if it is a CSV file.
    pub columns: &'static [&'static str],
}

impl ReportInput {
    /// The path itself, or the file in the folder that it is.
    pub fn at(&self, path: &Path) -> PathBuf {
        if path.is_dir() { path.join(self.file) } else { path.into() }
    }

    /// Refuses the header of a CSV file that lacks a column.
    ///
    /// # Errors
    /// [`Error::Csv`] naming the column.
    pub(super) fn check(&self, path: &Path, header: &csv::StringRecord) -> Result<()> {
        match self.columns.iter().find(|name| !header.iter().any(|column| column == **name)) {
            None => Ok(()),
            Some(name) => {
                let missing =
                    || format!("there is no column `{name}`; give a {} that surmise wrote", self.file);
                let has = |name: &str| header.iter().any(|column| column == name);
                let known = observations::RENAMED.iter().chain(&PredictionRow::RENAMED);
                let ours = known.filter(|(_, new)| self.columns.contains(new));
                let reason = disk::renamed_columns(ours, has).unwrap_or_else(missing);
                Err(Error::Csv { path: path.into(), line: 1, reason })
            }
        }
    }
}
