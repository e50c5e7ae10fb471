//! Defines the trait [`Exporter`], which converts the answers of a collection into the format of another
//! tool.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::collected::Collected;
use crate::disk;
use crate::error::{Error, Result};

/// Exports a collection in the format of one tool.
pub trait Exporter: Sync {
    /// Name of the format.
    fn name(&self) -> &'static str;

    /// One line that names the tool and the exported files.
    fn summary(&self) -> &'static str;

    /// The exported files. Equal answers give equal bytes.
    ///
    /// # Errors
    /// [`Error::Json`]
    fn export(&self, collected: &Collected) -> Result<Vec<ExportFile>>;

    /// Notes on tasks that this format cannot contain.
    fn notes(&self, _collected: &Collected) -> Vec<String> {
        vec![]
    }
}

/// One file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Path relative to the output folder.
    pub path: PathBuf,
    /// Content.
    pub bytes: Vec<u8>,
}

impl ExportFile {
    /// A file with one JSON value.
    pub(super) fn json(path: impl Into<PathBuf>, value: &Value) -> Result<Self> {
        let path = path.into();
        Ok(Self { bytes: disk::json_bytes(&path, value)?, path })
    }

    /// A file with one JSON value per line. Some tools split lines at characters other than a line feed. Such
    /// characters are escaped, which is valid because JSON allows them only inside strings.
    pub(super) fn lines(path: impl Into<PathBuf>, values: &[Value]) -> Self {
        let text: String = values.iter().map(|value| format!("{value}\n")).collect();
        let text = ['\u{85}', '\u{2028}', '\u{2029}']
            .into_iter()
            .fold(text, |text, end| text.replace(end, &format!("\\u{:04x}", u32::from(end))));
        Self { path: path.into(), bytes: text.into_bytes() }
    }
}

/// Writes the files below a folder, which is created if needed. Existing files are never overwritten.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_only_where_python_ends_it() {
        let text = "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\u{1c}g\u{1d}h\u{1e}i\r\nj\u{e9}";
        let file = ExportFile::lines("f", &[Value::from(text), Value::from(1)]);
        let written = String::from_utf8(file.bytes).unwrap();
        // The characters at which Python's `splitlines` splits.
        let ends = "\n\r\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{85}\u{2028}\u{2029}";
        assert_eq!(written.matches(|c| ends.contains(c)).collect::<Vec<_>>(), ["\n", "\n"]);
        let first = written.lines().next().unwrap();
        assert_eq!(serde_json::from_str::<Value>(first).unwrap(), text);
    }
}
