//! Reports: results on disk as a tidy table (CSV, LaTeX, Markdown) and as figures (SVG, PDF) of one column of
//! a paper. A report reads files and measures nothing; each is one file of this folder, and
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
    /// The name that selects it.
    fn name(&self) -> &'static str;

    /// What it shows, in one line.
    fn summary(&self) -> &'static str;

    /// The file that it reads.
    fn input(&self) -> ReportInput;

    /// Makes the report of `inputs`: files, or folders that hold them under the name of [`Self::input`].
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read), [`Error::Csv`](crate::Error::Csv) or
    /// [`Error::Json`](crate::Error::Json) naming the file, and [`Error::Parameter`](crate::Error::Parameter)
    /// for a selection that leaves nothing.
    fn make(&self, inputs: &[PathBuf], selection: &Selection) -> Result<ReportContent>;
}
