//! Gathers the mistakes in a study file, so that all are reported at once.

use std::cell::RefCell;
use std::path::Path;

use crate::error::Error;

/// One mistake in a study file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The line of the mistake, counted from 1.
    pub line: usize,
    /// The mistake, and how to correct it.
    pub reason: String,
}

/// A value and its line in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The line, counted from 1.
    pub line: usize,
    /// The value.
    pub value: T,
}

/// The mistakes found so far in one file.
pub struct Findings<'a> {
    text: &'a str,
    found: RefCell<Vec<Finding>>,
}

impl<'a> Findings<'a> {
    /// Creates an empty list of mistakes for a file with this text.
    pub fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::default() }
    }

    /// Creates a list with mistakes that were found before.
    pub fn of(found: Vec<Finding>) -> Self {
        Self { text: "", found: RefCell::new(found) }
    }

    /// All mistakes.
    pub fn into_found(self) -> Vec<Finding> {
        self.found.into_inner()
    }

    /// Adds a mistake.
    pub fn add(&self, line: usize, reason: impl Into<String>) {
        self.found.borrow_mut().push(Finding { line, reason: reason.into() });
    }

    /// Adds the message of an error and of its causes.
    pub fn add_error(&self, line: usize, error: &Error) {
        let reason = match error {
            // The error names a command-line flag. The study file has a key of the same name.
            Error::Parameter { name, reason } if name.starts_with("--") => {
                format!("`{}` {reason}", name.trim_start_matches('-').replace('-', "_"))
            }
            _ => error.chain().replace("\n  because: ", ": "),
        };
        self.add(line, reason);
    }

    /// The line of a byte offset in the text.
    pub fn line_at(&self, byte: usize) -> usize {
        1 + self.text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count()
    }

    /// Whether any mistake was found.
    pub fn any(&self) -> bool {
        !self.found.borrow().is_empty()
    }

    /// An error with all mistakes, sorted by line.
    pub fn into_error(self, path: &Path) -> Error {
        let mut found = self.found.into_inner();
        found.sort();
        found.dedup();
        let n = match found.len() {
            1 => "1 mistake".into(),
            n => format!("{n} mistakes"),
        };
        let shown = found.iter().map(|finding| format!("\n  line {}: {}", finding.line, finding.reason));
        Error::StudyFile { path: path.into(), reason: format!("{n}{}", shown.collect::<String>()) }
    }
}
