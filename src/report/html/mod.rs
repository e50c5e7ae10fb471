//! Writes a results folder as one self-contained HTML page: settings, predictions and measurements, heat maps
//! of profiles, graded answers, spending, back-tests, and files with their hashes. `surmise report html`
//! writes the page; `surmise view` serves it while a study runs.
//!
//! | file | contents |
//! |---|---|
//! | `folder.rs` | finds the result files of a folder |
//! | `sources.rs` | reads the files; records hashes and unreadable files |
//! | `study.rs`, `predictions.rs`, `profiles.rs`, `answers.rs` | the sections |
//! | `spend.rs`, `calibrations.rs` | further sections |
//! | `items.rs` | selects the single answers that fit into the page |
//! | `profile_values.rs` | the values of a profile, by block and column |
//! | `data.rs`, `limits.rs` | tables and numbers as JSON, and limits of their size |
//! | `page.rs` | combines markup, style, script and data |
//!
//! The page contains its data as JSON in a script element of type `application/json`, and its own script
//! builds elements from them. Ids and answers are inserted only as text, never as markup.

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
/// One line about the content.
pub const SUMMARY: &str = "a whole results folder as one self-contained page: study, predictions, \
                           profiles, answers, spend, back-tests";
/// The name of the page in a results folder.
pub const FILE: &str = "report.html";

/// Writes the page of a results folder to a file.
///
/// # Errors
/// [`Error::Parameter`](crate::Error::Parameter) if the folder contains no results, or if `file` is one of
/// the results; [`Error::Read`](crate::Error::Read) if the folder cannot be listed;
/// [`Error::Write`](crate::Error::Write) if the file cannot be written.
pub fn write(folder: &Path, file: &Path) -> Result<()> {
    page(folder)?.write(file)
}

impl Page {
    /// Writes the page to a file.
    ///
    /// # Errors
    /// [`Error::Parameter`](crate::Error::Parameter) if `file` is one of the results;
    /// [`Error::Write`](crate::Error::Write) if it cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        disk::check_apart(self.inputs(), file)?;
        disk::write(file, &self.to_bytes())
    }
}
