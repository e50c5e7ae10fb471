//! The inputs that reports declare.

use std::path::{Path, PathBuf};

use crate::calibration::PredictionRow;
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
    /// The path of the input file. A path to a folder stands for the file inside it, or inside its
    /// `profiles/` if the folder is that of a study.
    pub fn at(&self, path: &Path) -> PathBuf {
        if !path.is_dir() {
            return path.into();
        }
        let (own, of_study) = (path.join(self.file), path.join("profiles").join(self.file));
        if !own.is_file() && of_study.is_file() { of_study } else { own }
    }

    /// Refuses the header of a CSV file that lacks a column, or has a column with its name of an earlier
    /// version.
    ///
    /// # Errors
    /// [`Error::Csv`] naming the column.
    pub(super) fn check(&self, path: &Path, header: &csv::StringRecord) -> Result<()> {
        let has = |name: &str| header.iter().any(|column| column == name);
        let missing = self.columns.iter().find(|name| !has(name));
        let missing = missing
            .map(|name| format!("there is no column `{name}`; give a {} that surmise wrote", self.file));
        let old: Vec<String> =
            [PredictionRow::renamed(has), observations::renamed(has)].into_iter().flatten().collect();
        match Some(old.join("; ")).filter(|old| !old.is_empty()).or(missing) {
            None => Ok(()),
            Some(reason) => Err(Error::Csv { path: path.into(), line: 1, reason }),
        }
    }
}
