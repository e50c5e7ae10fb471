//! A finished report, and the files it becomes.

use std::path::{Path, PathBuf};

use super::draw::Figure;
use super::table::Table;
use crate::disk;
use crate::error::{Error, Result};

/// A finished report.
#[derive(Debug, Clone)]
pub struct ReportContent {
    /// The numbers.
    pub table: Table,
    /// The figures, each with the suffix of its file name.
    pub figures: Vec<(String, Figure)>,
    /// The caption: sample sizes, errors, coverage, noise scale.
    pub caption: String,
}

impl ReportContent {
    /// Writes `NAME.csv`, `NAME.tex`, `NAME.md`, and each figure as `.svg` and `.pdf`, into a folder; returns
    /// the files.
    ///
    /// # Errors
    /// [`Error::Write`], and [`Error::Figure`] if a figure cannot become a PDF.
    pub fn write(&self, name: &str, folder: &Path) -> Result<Vec<PathBuf>> {
        disk::make_folder(folder)?;
        let mut files = vec![];
        let mut put = |file: String, bytes: &[u8]| {
            let path = folder.join(file);
            disk::write(&path, bytes)?;
            files.push(path);
            Ok::<(), Error>(())
        };
        put(format!("{name}.csv"), &self.table.csv()?)?;
        put(format!("{name}.tex"), self.table.latex(&self.caption).as_bytes())?;
        put(format!("{name}.md"), self.table.markdown(&self.caption).as_bytes())?;
        for (suffix, figure) in &self.figures {
            put(format!("{name}{suffix}.svg"), figure.svg().as_bytes())?;
            put(format!("{name}{suffix}.pdf"), &figure.pdf()?)?;
        }
        Ok(files)
    }
}

/// A part of a file name made of names of models and corpora.
pub(super) fn suffix(names: &[&str]) -> String {
    let plain = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c), "-");
    names.iter().map(|name| format!("-{}", plain(name))).collect()
}
