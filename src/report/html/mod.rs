//! A results folder as one HTML page without network: what was asked, predictions beside measurements,
//! profiles as heat maps, answers as graded, spend, back-tests, files with their hashes. `report html` writes
//! it, `view` serves it while a study runs.
//!
//! | file | contents |
//! |---|---|
//! | `folder.rs` | which files of a folder are results |
//! | `sources.rs` | reading them: hashes, and what cannot be read |
//! | `study.rs`, `predictions.rs`, `profiles.rs`, `answers.rs` | the sections |
//! | `spend.rs`, `calibrations.rs` | further sections |
//! | `items.rs` | which answers fit into the page |
//! | `profile_values.rs` | the numbers of a profile, block by column |
//! | `data.rs`, `limits.rs` | tables and numbers as JSON, and how many of them a page takes |
//! | `page.rs` | the page: markup, style, script, data |
//!
//! The page holds its data as JSON in a script element that is no script, and its own script makes elements
//! of them. Ids and answers only ever become text.

mod answers;
mod calibrations;
mod data;
mod folder;
mod items;
mod limits;
mod page;
mod predictions;
mod profile_values;
mod profiles;
mod sources;
mod spend;
mod study;

use std::path::Path;

pub use self::folder::version;
pub use self::page::{Page, page};
use crate::disk;
use crate::error::Result;

/// The name of the report.
pub const NAME: &str = "html";
/// What it shows, in one line.
pub const SUMMARY: &str = "all of a results folder as one page without network: study, predictions, \
                           profiles, answers, spend, back-tests";
/// The name of the page in a results folder.
pub const FILE: &str = "report.html";

/// Writes the page of a results folder to a file.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) for a folder without results, or a file that is one of the
/// results; [`Error::Read`](crate::Error::Read), [`Error::Write`](crate::Error::Write).
pub fn write(folder: &Path, file: &Path) -> Result<()> {
    page(folder)?.write(file)
}

impl Page {
    /// Writes the page to a file.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) for a file that is one of the results;
    /// [`Error::Write`](crate::Error::Write).
    pub fn write(&self, file: &Path) -> Result<()> {
        disk::check_apart(self.inputs(), file)?;
        disk::write(file, &self.to_bytes())
    }
}
