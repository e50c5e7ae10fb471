//! Writes files atomically: each file is written under a temporary name in the same folder and renamed when
//! complete.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

mod opened;
mod rows;
mod temporary;

pub use self::opened::{check_size, is_regular, open, open_own, read, read_line, read_text, read_within};
pub use self::rows::{CsvRows, csv_bytes, json_bytes, json_line};
use self::temporary::TemporaryFile;
pub use self::temporary::{TemporaryFolder, exit, is_temporary};
use crate::error::{Error, Result};

/// The first member of every JSON file of surmise: the name and version of the schema, and the version of
/// surmise that wrote the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The name of the schema.
    pub name: String,
    /// The version of the schema. Readers reject unknown versions.
    pub version: u32,
    /// Version of surmise.
    pub tool_version: String,
}

impl Schema {
    /// The schema of a file that this version of surmise writes.
    pub fn new(name: &str, version: u32) -> Self {
        Self { name: name.into(), version, tool_version: env!("CARGO_PKG_VERSION").into() }
    }
}

/// Creates a folder and its parents.
///
/// # Errors
/// [`Error::Write`]
pub fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|source| Error::Write { path: path.into(), source })
}

/// Checks that a folder is writable, before long work begins.
///
/// # Errors
/// [`Error::Write`]
pub fn probe(folder: &Path) -> Result<()> {
    tempfile::tempfile_in(folder).map(drop).map_err(|source| Error::Write { path: folder.into(), source })
}

/// Whether two paths refer to the same file. The second file need not exist.
pub fn is_same(file: &Path, other: &Path) -> bool {
    let Ok(file) = file.canonicalize() else { return false };
    let folder =
        other.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let place = folder.and_then(|folder| Some(folder.canonicalize().ok()?.join(other.file_name()?)));
    place.is_some_and(|place| place == file) || other.canonicalize().is_ok_and(|other| other == file)
}

/// Returns an error if the output would overwrite an input file.
///
/// # Errors
/// [`Error::Parameter`]
pub fn check_apart<'a>(inputs: impl IntoIterator<Item = &'a PathBuf>, output: &Path) -> Result<()> {
    match inputs.into_iter().find(|input| is_same(input, output)) {
        None => Ok(()),
        Some(input) => {
            let reason = format!("would replace the input file {}; choose another file", input.display());
            Err(Error::Parameter { name: "-o", reason })
        }
    }
}

/// The file name without folder and extension.
pub fn file_stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// Converts the id of a model for use in file names: the slash of a hub id and the colon before a file name
/// become `--`.
pub fn id_in_file_names(id: &str) -> String {
    id.replace(['/', ':'], "--")
}

/// A file that is written under a temporary name in its final folder. It is deleted if it is dropped before
/// [`Partial::commit`].
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    file: TemporaryFile,
}

impl Partial {
    /// Creates the temporary file, which [`Partial::commit`] renames to `path`.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub fn begin(path: &Path) -> Result<Self> {
        if path.exists() {
            is_regular(path).map_err(|source| Error::Write { path: path.into(), source })?;
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file =
            TemporaryFile::begin(folder).map_err(|source| Error::Write { path: path.into(), source })?;
        Ok(Self { path: path.into(), file })
    }

    /// The temporary file.
    pub fn file(&mut self) -> &mut File {
        self.file.file_mut()
    }

    /// Writes the whole content and commits the file.
    ///
    /// # Errors
    /// [`Error::Write`]
    pub fn fill(mut self, bytes: &[u8]) -> Result<()> {
        let path = self.path.clone();
        self.file().write_all(bytes).map_err(|source| Error::Write { path, source })?;
        self.commit()
    }

    /// Renames the file to its final path and replaces an existing file.
    ///
    /// # Errors
    /// [`Error::Write`]; an existing file is then unchanged.
    pub fn commit(self) -> Result<()> {
        let fault = |source: std::io::Error| Error::Write { path: self.path.clone(), source };
        self.file.file().sync_all().map_err(fault)?;
        // A temporary file is readable only by its owner; give the final file the usual permissions.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let open = std::fs::Permissions::from_mode(0o644);
            self.file.file().set_permissions(open).map_err(fault)?;
        }
        self.file.persist(&self.path).map_err(fault)
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file().flush()
    }
}

/// Writes `bytes` to `path` atomically.
///
/// # Errors
/// [`Error::Write`]; an existing file is then unchanged.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    Partial::begin(path)?.fill(bytes)
}

/// Writes a value as indented JSON with a line feed at the end.
///
/// # Errors
/// [`Error::Write`], also for a value that contains NaN or infinity; [`Error::Json`]
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    write(path, &json_bytes(path, value)?)
}

/// Reads the rows of a CSV file from its bytes; errors name `path`. `trim` removes white space around the
/// cells: use it for files written by hand, but not for answers, whose white space must be kept.
///
/// # Errors
/// [`Error::Csv`] with the line.
pub(crate) fn csv_rows<T: DeserializeOwned>(path: &Path, bytes: &[u8], trim: csv::Trim) -> Result<Vec<T>> {
    let mut reader = csv::ReaderBuilder::new().trim(trim).from_reader(bytes);
    let fault = |error: csv::Error| Error::Csv {
        path: path.into(),
        line: Lines::at(bytes, error.position()),
        reason: error.to_string(),
    };
    reader.deserialize().map(|row| row.map_err(fault)).collect()
}

/// Reads the rows of a CSV file; see [`csv_rows`].
///
/// # Errors
/// [`Error::Read`], [`Error::Csv`]
pub(crate) fn read_csv<T: DeserializeOwned>(path: &Path, trim: csv::Trim) -> Result<Vec<T>> {
    let bytes = read(path).map_err(|source| Error::Read { path: path.into(), source })?;
    csv_rows(path, &bytes, trim)
}

/// Describes why a table of an earlier version cannot be read: lists its renamed columns with both names.
/// `None` if the table has no renamed columns.
pub(crate) fn renamed_columns<'a>(
    renamed: impl IntoIterator<Item = &'a (&'static str, &'static str)>,
    has: impl Fn(&str) -> bool,
) -> Option<String> {
    let old = renamed.into_iter().filter(|(old, new)| has(old) && !has(new));
    let old: Vec<String> = old.map(|(old, new)| format!("column {old} is called {new} now")).collect();
    (!old.is_empty()).then(|| {
        format!("{}; create the table again with this version, or rename the columns", old.join(", "))
    })
}

/// Computes the line number at which a CSV record begins. The line numbers of the csv crate are too small by
/// one with Windows line endings, because its records begin at the line feed of the previous line.
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    /// Counts lines of a file, or of its content after the byte order mark.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line number of one position.
    pub(crate) fn at(bytes: &'a [u8], position: Option<&csv::Position>) -> u64 {
        Self::new(bytes).of(position)
    }

    /// The line number of a position. Positions must not decrease from call to call.
    pub(crate) fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let end = byte.clamp(self.at, self.bytes.len());
        let blank = self.bytes[end..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.line += self.bytes[self.at..end + blank].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = end + blank;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_is_not_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.json");
        let says = |error: Error| std::error::Error::source(&error).expect("a cause").to_string();
        let fault = write_json(&path, &[("nats", f64::NAN)]).expect_err("NaN");
        assert!(says(fault).contains("NaN is not a finite number; nothing was written"));
        assert!(!path.exists());
        let rows = [("a", Some(1.0)), ("b", None), ("c", Some(f64::INFINITY))];
        assert!(
            says(csv_bytes(&path, &rows).expect_err("infinity"))
                .contains("inf of row 2 is not a finite number")
        );
        assert_eq!(csv_bytes(&path, &rows[..2]).expect("rows"), b"a,1.0\nb,\n");
    }

    #[test]
    fn names_lose_folder_and_extension_and_ids_their_slash() {
        assert_eq!(file_stem(Path::new("data/a.b.csv")), "a.b");
        assert_eq!(file_stem(Path::new("..")), "");
        assert_eq!(id_in_file_names("owner/name@main"), "owner--name@main");
        assert_eq!(id_in_file_names("minigpt-1"), "minigpt-1");
    }
}
