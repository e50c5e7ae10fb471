//! Describes the input files of reports.

use std::path::{Path, PathBuf};

use crate::calibration::PredictionRow;
use crate::error::{Error, Result};
use crate::observations;

/// The input file of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportInput {
    /// The file name.
    pub file: &'static str,
    /// The required columns; empty for a JSON file.
    pub columns: &'static [&'static str],
}

impl ReportInput {
    /// The path of the input file. If `path` is a folder, the file is looked up in it, and then in its
    /// subfolder `profiles/`, where studies store it.
    pub fn at(&self, path: &Path) -> PathBuf {
        if !path.is_dir() {
            return path.into();
        }
        let (own, of_study) = (path.join(self.file), path.join("profiles").join(self.file));
        if !own.is_file() && of_study.is_file() { of_study } else { own }
    }

    /// Checks the header of a CSV file. Returns an error for a missing column, and for a column name that
    /// only earlier versions used.
    ///
    /// # Errors
    /// [`Error::Csv`] with the name of the column.
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
