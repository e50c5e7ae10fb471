//! Reads the records of a results folder.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::records::{BlindRecord, CollectionRecord, ComparisonRecord, EstimateRecord, StudyRecord};
use crate::calibration::{Card, PredictionRow};
use crate::dictionary::Members;
use crate::disk::{self, Schema};
use crate::emergence::semantic::SemanticProfile;
use crate::emergence::{Profile, store};
use crate::error::{Error, Result};

/// Maximum depth of the search for files.
const DEEPEST: usize = 4;
/// Folders of a study that are skipped: `tasks` duplicates other folders, `earlier` contains outdated
/// answers.
const LEFT_OUT: [&str; 2] = ["tasks", "earlier"];
/// Start of the header of comparisons.csv. Any CSV file with this start is read as comparisons.csv.
const COMPARISONS: &str = "model,group_a,group_b,";
/// Names of schemas, and the tables of the data dictionary that describe them.
const TABLES: [(&str, &str); 7] = [
    ("semantic-profile", "semantic profile"),
    ("profile", "positional profile"),
    ("card", "card"),
    ("surmise-study", "study.json"),
    ("surmise-summary", "summary.json"),
    ("surmise-blind", "blind.json"),
    ("mi", "mi"),
];

/// A record and the path of its file.
#[derive(Debug, Clone)]
pub(super) struct Filed<T> {
    pub path: PathBuf,
    pub record: T,
}

/// All records of a folder, sorted by file within each kind.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The versions of surmise that wrote the files.
    pub(super) versions: BTreeSet<String>,
    pub(super) studies: Vec<Filed<StudyRecord>>,
    pub(super) semantic: Vec<SemanticProfile>,
    pub(super) positional: Vec<Filed<Profile>>,
    pub(super) collections: Vec<CollectionRecord>,
    pub(super) cards: Vec<Filed<Card>>,
    pub(super) predictions: Vec<Filed<Vec<PredictionRow>>>,
    pub(super) blind: Vec<BlindRecord>,
    pub(super) estimates: Vec<Filed<EstimateRecord>>,
    pub(super) comparisons: Vec<Filed<ComparisonRecord>>,
}

impl Recorded {
    /// Reads all records of a folder.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Json`], [`Error::Csv`], [`Error::Config`] and [`Error::Parameter`] for a
    /// file that is damaged, of another version, or has an unknown member; [`Error::Parameter`] for a folder
    /// without a record.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut files = vec![];
        find(folder, DEEPEST, &mut files)?;
        files.sort_unstable();
        let mut recorded = Self::default();
        let mut members = Members::default();
        for file in &files {
            match file.extension().and_then(|extension| extension.to_str()) {
                Some("json") => recorded.add_json(file, &mut members)?,
                _ => recorded.add_csv(file, &mut members)?,
            }
        }
        if recorded.versions.is_empty() && recorded.predictions.is_empty() && recorded.comparisons.is_empty()
        {
            let reason = format!(
                "{} contains no file that records settings; give a folder with study.json, profiles, \
                 summary.json, a card, predictions.csv or comparisons.csv",
                folder.display()
            );
            return Err(Error::Parameter { name: "FOLDER", reason });
        }
        Ok(recorded)
    }

    fn add_json(&mut self, path: &Path, members: &mut Members) -> Result<()> {
        let bytes = disk::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.into(), source })?;
        // Skip files of other tools, which have no schema of surmise.
        let Ok(schema) = serde_json::from_value::<Schema>(value["schema"].clone()) else { return Ok(()) };
        let Some((_, table)) = TABLES.iter().find(|(name, _)| *name == schema.name) else { return Ok(()) };
        let at = || path.to_path_buf();
        match schema.name.as_str() {
            "semantic-profile" => self.semantic.push(store::read(path)?),
            "profile" => self.positional.push(Filed { record: store::read(path)?, path: at() }),
            "card" => self.cards.push(Filed { record: Card::read(path)?, path: at() }),
            "surmise-study" => self.studies.push(Filed { record: of(path, &value, &schema, 1)?, path: at() }),
            "surmise-summary" => self.collections.push(of(path, &value, &schema, 1)?),
            "surmise-blind" => self.blind.push(of(path, &value, &schema, 5)?),
            _ => self.estimates.push(Filed { record: of(path, &value, &schema, 2)?, path: at() }),
        }
        members.check(table, &value).map_err(|member| {
            let reason = format!(
                "contains the member {member}, which this version of surmise does not support; use the \
                 version that wrote the file"
            );
            Error::Config { path: path.into(), reason }
        })?;
        self.versions.insert(schema.tool_version);
        Ok(())
    }

    fn add_csv(&mut self, path: &Path, members: &mut Members) -> Result<()> {
        if path.file_name().is_some_and(|name| name == "predictions.csv") {
            // Skip rows without a card hash: they belong to the table of a report, not to a prediction.
            let mut rows = PredictionRow::read(path)?;
            rows.retain(|row| !row.card_sha256.is_empty());
            if !rows.is_empty() {
                self.predictions.push(Filed { path: path.into(), record: rows });
            }
            return Ok(());
        }
        let fault = |source| Error::Read { path: path.into(), source };
        // Read only the start, because tables of answers can be large.
        let mut head = vec![];
        disk::open(path)
            .map_err(fault)?
            .take(COMPARISONS.len() as u64)
            .read_to_end(&mut head)
            .map_err(fault)?;
        if head != COMPARISONS.as_bytes() {
            return Ok(());
        }
        let bytes = disk::read(path).map_err(fault)?;
        let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let header = String::from_utf8_lossy(header);
        members.check_columns("comparisons.csv", header.trim_end().split(',')).map_err(|column| {
            let reason = format!(
                "has the column {column}, which this version of surmise does not support; use the version \
                 that wrote the file"
            );
            Error::Csv { path: path.into(), line: 1, reason }
        })?;
        let rows = disk::csv_rows(path, &bytes, csv::Trim::None)?;
        self.comparisons.extend(rows.into_iter().map(|record| Filed { record, path: path.into() }));
        Ok(())
    }
}

/// Parses a record and checks its version.
fn of<T: DeserializeOwned>(path: &Path, value: &Value, schema: &Schema, version: u32) -> Result<T> {
    if schema.version != version {
        let reason = format!(
            "is {} version {}, but this version of surmise reads version {version}; create the file again",
            schema.name, schema.version
        );
        return Err(Error::Config { path: path.into(), reason });
    }
    T::deserialize(value).map_err(|source| Error::Json { path: path.into(), source })
}

/// Finds the JSON and CSV files of a folder and its subfolders.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let fault = |source| Error::Read { path: folder.into(), source };
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_read = path.extension().is_some_and(|extension| extension == "json" || extension == "csv");
        if path.is_dir() && !path.is_symlink() {
            // Skip the folder `report`: its tables have the same names as tables of measurements, but they
            // record no settings.
            let is_left_out = LEFT_OUT.contains(&name.as_str()) || name == "report";
            if depth > 0 && !is_left_out && !name.starts_with('.') {
                find(&path, depth - 1, files)?;
            }
        } else if is_read && path.is_file() && !disk::is_temporary(&name) {
            files.push(path);
        }
    }
    Ok(())
}
