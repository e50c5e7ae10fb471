//! Reads result files. Lists every file with its hash, and the reason for every file that cannot be read.

use std::cell::RefCell;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::data::PageTable;
use crate::disk;
use crate::error::{Error, Result};
use crate::seed::sha256_hex;

/// A file that was read.
#[derive(Debug)]
struct ReadFile {
    path: PathBuf,
    bytes: usize,
    sha256: String,
}

/// The files of a folder that were read so far, and their problems.
#[derive(Debug)]
pub(super) struct Sources {
    folder: PathBuf,
    files: RefCell<Vec<ReadFile>>,
    problems: RefCell<Vec<String>>,
}

impl Sources {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), files: RefCell::default(), problems: RefCell::default() }
    }

    /// The path relative to the folder, with `/` on every system.
    pub(super) fn name(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.folder).unwrap_or(path);
        let parts = inside.iter().map(|part| part.to_string_lossy().into_owned());
        parts.collect::<Vec<_>>().join("/")
    }

    /// The bytes of a file. Returns `None` and records a problem if it cannot be read.
    pub(super) fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let read = disk::read(path).map_err(|source| Error::Read { path: path.into(), source });
        let bytes = self.keep(path, read)?;
        let mut files = self.files.borrow_mut();
        if !files.iter().any(|file| file.path == path) {
            files.push(ReadFile { path: path.into(), bytes: bytes.len(), sha256: sha256_hex(&bytes) });
        }
        Some(bytes)
    }

    /// The value that `reader` returns for a file. Returns `None` and records a problem if it fails.
    pub(super) fn read<T>(&self, path: &Path, reader: impl FnOnce(&Path) -> Result<T>) -> Option<T> {
        self.bytes(path)?;
        self.keep(path, reader(path))
    }

    /// The rows of a CSV file. Returns no rows and records a problem if it cannot be read.
    pub(super) fn rows<T: DeserializeOwned>(&self, path: &Path) -> Vec<T> {
        let Some(bytes) = self.bytes(path) else { return vec![] };
        self.keep(path, disk::csv_rows(path, &bytes, csv::Trim::None)).unwrap_or_default()
    }

    /// The value of a JSON file. Returns `None` and records a problem if it is not valid JSON.
    pub(super) fn json(&self, path: &Path) -> Option<Value> {
        let bytes = self.bytes(path)?;
        let parsed =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.into(), source });
        self.keep(path, parsed)
    }

    fn keep<T>(&self, path: &Path, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.problem(path, &described(&error))).ok()
    }

    /// Records that a file, or a part of it, is left out.
    pub(super) fn problem(&self, path: &Path, reason: &dyn Display) {
        self.problems.borrow_mut().push(format!("{} is left out: {reason}", self.name(path)));
    }

    pub(super) fn problems(&self) -> Vec<String> {
        self.problems.borrow().clone()
    }

    /// Paths of the files that were read.
    pub(super) fn inputs(&self) -> Vec<PathBuf> {
        self.files.borrow().iter().map(|file| file.path.clone()).collect()
    }

    /// The table of files with sizes and hashes.
    pub(super) fn table(&self) -> PageTable {
        let mut table = PageTable::new("files", &["file", "bytes", "sha256"]);
        let mut files: Vec<(String, Value, Value)> = vec![];
        for file in self.files.borrow().iter() {
            files.push((self.name(&file.path), json!(file.bytes), json!(file.sha256)));
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        files.into_iter().for_each(|(name, bytes, hash)| table.push(vec![json!(name), bytes, hash]));
        table
    }
}

/// The message of an error and of its causes.
fn described(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
