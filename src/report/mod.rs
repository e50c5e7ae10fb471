//! Reports: what the pipeline left on disk as a tidy table (CSV, LaTeX, Markdown) and as figures (SVG, PDF)
//! of one column of a paper. A report reads files and measures nothing; one report per file of this folder.

mod blind;
mod calibration;
mod depth;
pub mod draw;
mod predictions;
mod profiles;
mod read;
mod shots;
pub mod table;

use std::path::{Path, PathBuf};

pub use self::draw::Figure;
pub use self::table::{Cell, Table};
use crate::disk;
use crate::error::{Error, Result};

/// Tables that reports are made of, called like the reports themselves.
pub const TABLES: [&str; 3] = ["profiles.csv", "predictions.csv", "blind.csv"];

/// The reports, in the order in which they are listed.
pub static ALL: &[&dyn Report] = &[
    &profiles::Profiles,
    &shots::Shots,
    &depth::Depth,
    &predictions::Predictions,
    &calibration::Calibration,
    &blind::Blind,
];

/// One table with its figures.
pub trait Report: Sync {
    /// The name it is asked for by.
    fn name(&self) -> &'static str;

    /// One line on what it shows, and of which files.
    fn summary(&self) -> &'static str;

    /// Reads `inputs`, files or folders that hold them.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Csv`] or [`Error::Json`] naming the file, and [`Error::Parameter`] for a
    /// choice that leaves nothing.
    fn make(&self, inputs: &[PathBuf], choice: &Choice) -> Result<Made>;
}

/// Which rows of the inputs are shown.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The estimator's noise scale; that of the headline if none is chosen.
    pub noise_scale: Option<f64>,
    /// These models; all if none is named.
    pub models: Vec<String>,
    /// These corpora; all if none is named.
    pub corpora: Vec<String>,
}

impl Choice {
    fn admits(&self, model: &str, corpus: &str) -> bool {
        let among =
            |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        among(&self.models, model) && among(&self.corpora, corpus)
    }

    /// The refusal of a choice that leaves nothing of a file.
    fn nothing(path: &Path, what: &str) -> Error {
        let reason = format!(
            "leave no {what} of {}; choose others (--model, --corpus, --noise-scale)",
            path.display()
        );
        Error::Parameter { name: "the choices", reason }
    }
}

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Made {
    /// The numbers.
    pub table: Table,
    /// The figures, each with what its file name has behind that of the report.
    pub figures: Vec<(String, Figure)>,
    /// What a caption has to say: sample sizes, errors, coverage, noise scale.
    pub caption: String,
}

/// The report of some name.
///
/// # Errors
/// [`Error::Unknown`]
pub fn find(name: &str) -> Result<&'static dyn Report> {
    let hint =
        || format!("there are {}", ALL.iter().map(|report| report.name()).collect::<Vec<_>>().join(", "));
    let found = ALL.iter().find(|report| report.name() == name);
    found.copied().ok_or_else(|| Error::Unknown { kind: "report", name: name.into(), hint: hint() })
}

impl Made {
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
fn suffix(names: &[&str]) -> String {
    let plain = |name: &str| name.replace(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c), "-");
    names.iter().map(|name| format!("-{}", plain(name))).collect()
}
