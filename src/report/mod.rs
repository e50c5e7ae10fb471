//! Makes reports from results on disk: a tidy table (CSV, LaTeX, Markdown) and figures (SVG, PDF) for one
//! column of a paper. Reports read files and measure nothing. Each report is one file of this folder, and
//! [`ALL`](registry::ALL) lists them.

mod answers;
mod blind;
mod calibration;
mod cells;
mod content;
mod depth;
pub mod draw;
mod flags;
pub mod html;
mod input;
mod models;
mod predictions;
mod profiles;
mod read;
pub mod registry;
mod reliability;
mod selection;
mod semantic;
mod shots;
pub mod table;
mod wide;

use std::path::PathBuf;

pub use self::content::ReportContent;
pub use self::draw::Figure;
pub use self::input::ReportInput;
pub use self::registry::{ALL, find};
pub use self::selection::Selection;
pub use self::table::{Cell, Table};
use crate::error::Result;

/// A report: one table with its figures.
pub trait Report: Sync {
    /// The name of the report.
    fn name(&self) -> &'static str;

    /// One line about the content.
    fn summary(&self) -> &'static str;

    /// The input file.
    fn input(&self) -> ReportInput;

    /// Makes the report of `inputs`: files, or folders that contain a file with the name of [`Self::input`].
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read), [`Error::Csv`](crate::Error::Csv) or
    /// [`Error::Json`](crate::Error::Json) with the path of the file;
    /// [`Error::Parameter`](crate::Error::Parameter) for a selection without rows.
    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent>;
}
