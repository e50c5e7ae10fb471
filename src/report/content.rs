//! Defines a finished report and writes its files.

use std::path::{Path, PathBuf};

use super::draw::Figure;
use super::draw::heatmap::{Heatmaps, share_scales};
use super::table::Table;
use crate::disk;
use crate::error::{Error, Result};

/// A finished report.
#[derive(Debug, Clone)]
pub struct ReportContent {
    /// The table.
    pub table: Table,
    /// The figures, each with the suffix of its file name.
    pub figures: Vec<(String, Figure)>,
    /// The caption: sample sizes, errors, coverage, noise scale.
    pub caption: String,
    /// A narrower table for LaTeX, if `table` does not fit on a page.
    pub latex: Option<Table>,
}

impl ReportContent {
    /// The LaTeX table, with the caption in a comment above it.
    pub fn latex(&self) -> String {
        self.latex.as_ref().unwrap_or(&self.table).latex(&self.caption)
    }

    /// Writes `NAME.csv`, `NAME.tex`, `NAME.md`, and each figure as `.svg` and `.pdf`, into a folder. Returns
    /// the paths.
    ///
    /// # Errors
    /// [`Error::Write`] if a file cannot be written; [`Error::Figure`] if a figure cannot be converted to
    /// PDF.
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
        put(format!("{name}.tex"), self.latex().as_bytes())?;
        put(format!("{name}.md"), self.table.markdown(&self.caption).as_bytes())?;
        for (suffix, figure) in &self.figures {
            put(format!("{name}{suffix}.svg"), figure.svg().as_bytes())?;
            put(format!("{name}{suffix}.pdf"), &figure.pdf()?)?;
        }
        Ok(files)
    }
}

/// Adds file name suffixes to figures: `suffix` for the first, `suffix-2` for the second, and so on.
pub(super) fn numbered(suffix: &str, figures: Vec<Figure>) -> Vec<(String, Figure)> {
    let name = |at: usize| if at == 0 { suffix.to_owned() } else { format!("{suffix}-{}", at + 1) };
    figures.into_iter().enumerate().map(|(at, figure)| (name(at), figure)).collect()
}

/// The figures of heat maps, each with the suffix of its file name. The first maps of all figures share one
/// scale, and so do the second maps.
///
/// # Errors
/// [`Error::Figure`] if a figure cannot be drawn.
pub(super) fn heat_figures(maps: Vec<(String, Heatmaps)>) -> Result<Vec<(String, Figure)>> {
    let (names, mut maps): (Vec<String>, Vec<Heatmaps>) = maps.into_iter().unzip();
    share_scales(&mut maps);
    let mut figures = vec![];
    for (name, map) in names.into_iter().zip(&maps) {
        figures.extend(map.figure()?.map(|figure| (name, figure)));
    }
    Ok(figures)
}

/// A file name suffix from names of models and corpora.
pub(super) fn suffix(names: &[&str]) -> String {
    let plain = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c), "-");
    names.iter().map(|name| format!("-{}", plain(name))).collect()
}
