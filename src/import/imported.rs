//! Options and results of an import.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::answers::{Answers, ImportedItem};
use super::keys::KeyRedaction;
use super::settings::Settings;
use crate::collect::results::scores::Score;
use crate::disk::Schema;
use crate::seed;

/// Options of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// `METRIC` or `METRIC,FILTER`; `None` for all accuracies.
    pub metric: Option<String>,
    /// The model's name in place of the file's.
    pub model: Option<String>,
    /// The number of shots in place of the file's.
    pub shots: Option<usize>,
    /// Whether runs on a part of a task are imported.
    pub limited: bool,
}

/// Scores of other tools' files.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Rows of scores.csv.
    pub scores: Vec<Score>,
    /// Rows of items.csv, of scores whose answers are in the files.
    pub items: Vec<ImportedItem>,
    /// Their provenance.
    pub provenance: Provenance,
    /// Messages about what was not imported, and why.
    pub notes: Vec<String>,
    /// Files that were not imported, and scores about which files differ.
    pub faults: Vec<String>,
}

/// The provenance of imported scores, which is written beside them as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Schema of the file.
    pub schema: Schema,
    /// The files.
    pub sources: Vec<SourceFile>,
}

/// One file of another tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its name.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// SHA-256 of the samples files that were read beside it, by task.
    pub samples_sha256: BTreeMap<String, String>,
    /// Settings of the evaluation, unchanged from the file.
    pub settings: BTreeMap<String, String>,
    /// Names of settings that were not copied, because they may contain a key.
    pub left_out: Vec<String>,
}

impl SourceFile {
    /// A file without settings.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (samples_sha256, settings) = (BTreeMap::new(), BTreeMap::new());
        Self { file, sha256: seed::sha256_hex(bytes), samples_sha256, settings, left_out: vec![] }
    }
}

impl Imported {
    /// Nothing imported yet.
    pub fn empty() -> Self {
        let schema = Schema::new("imported_scores", 1);
        let provenance = Provenance { schema, sources: vec![] };
        Self { scores: vec![], items: vec![], provenance, notes: vec![], faults: vec![] }
    }

    /// Adds the import of another file.
    pub fn extend(&mut self, other: Self) {
        self.scores.extend(other.scores);
        self.items.extend(other.items);
        self.faults.extend(other.faults);
        self.provenance.sources.extend(other.provenance.sources);
        self.notes.extend(other.notes);
    }

    /// Adds the score of graded answers, and the answers.
    pub(super) fn add(&mut self, answers: Answers) {
        self.scores.extend(answers.score());
        self.items.extend(answers.items());
    }

    /// Adds a file with the settings that were copied from it, and says what was left behind.
    pub(super) fn add_source(&mut self, source: SourceFile, settings: Settings, keys: &KeyRedaction) {
        let source = SourceFile { settings: settings.kept, left_out: settings.left_out, ..source };
        if !source.left_out.is_empty() {
            let names = source.left_out.join(", ");
            self.notes.push(format!("{}: not copied, because they may contain a key: {names}", source.file));
        }
        self.notes.extend(keys.note().map(|note| format!("{} {note}", source.file)));
        self.provenance.sources.push(source);
    }
}
