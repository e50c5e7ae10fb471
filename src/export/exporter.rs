//! The seam of this folder: an exporter writes the answers of a collection in the form of one other tool.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::collected::Collected;
use crate::disk;
use crate::error::{Error, Result};

/// Writes a collection in the form of one tool.
pub trait Exporter: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The tool and the files that it gets, in one line.
    fn summary(&self) -> &'static str;

    /// The files. The same answers give the same bytes.
    ///
    /// # Errors
    /// [`Error::Json`]
    fn export(&self, collected: &Collected) -> Result<Vec<ExportFile>>;
}

/// One file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Its path below the output folder.
    pub path: PathBuf,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl ExportFile {
    /// A file of one JSON value.
    pub(super) fn json(path: impl Into<PathBuf>, value: &Value) -> Result<Self> {
        let path = path.into();
        Ok(Self { bytes: disk::json_bytes(&path, value)?, path })
    }

    /// A file of one JSON value per line.
    pub(super) fn lines(path: impl Into<PathBuf>, values: &[Value]) -> Self {
        let text: String = values.iter().map(|value| format!("{value}\n")).collect();
        Self { path: path.into(), bytes: text.into_bytes() }
    }
}

/// Writes the files below a folder, which is made, and must not hold files of the same names.
///
/// # Errors
/// [`Error::Write`], [`Error::Parameter`]
pub fn write(folder: &Path, files: &[ExportFile]) -> Result<()> {
    if let Some(there) = files.iter().map(|file| folder.join(&file.path)).find(|path| path.exists()) {
        let reason = format!("would replace {}; choose another folder", there.display());
        return Err(Error::Parameter { name: "-o", reason });
    }
    for file in files {
        let path = folder.join(&file.path);
        disk::make_folder(path.parent().unwrap_or(folder))?;
        disk::write(&path, &file.bytes)?;
    }
    Ok(())
}
