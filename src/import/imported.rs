//! Defines the options and the result of an import.

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
    /// The metric to import, as `METRIC` or `METRIC,FILTER`; `None` imports all accuracies.
    pub metric: Option<String>,
    /// The name of the model; overrides the name in the file.
    pub model: Option<String>,
    /// The number of shots; overrides the number in the file.
    pub shots: Option<usize>,
    /// Whether to import runs that evaluated only a part of a task.
    pub limited: bool,
    /// Numbers of items, by task. A number is used if the file does not state the number of items of the
    /// task.
    pub n_items: BTreeMap<String, usize>,
}

/// Scores imported from the files of other tools.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Rows of scores.csv.
    pub scores: Vec<Score>,
    /// Rows of items.csv, for scores whose answers are in the imported files.
    pub items: Vec<ImportedItem>,
    /// The provenance of the scores.
    pub provenance: Provenance,
    /// Messages about the import, such as which parts were not imported and why.
    pub notes: Vec<String>,
    /// Files that could not be imported, and scores on which files disagree.
    pub faults: Vec<String>,
    /// The entries of [`ImportOptions::n_items`] that were used.
    pub(super) given_items: BTreeMap<String, usize>,
}

/// The provenance of imported scores, written as JSON next to scores.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The schema of the JSON file.
    pub schema: Schema,
    /// The files that were read.
    pub sources: Vec<SourceFile>,
}

/// An imported file of another tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The name of the file.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The SHA-256 of each file that was read together with this file, by task or file name.
    pub samples_sha256: BTreeMap<String, String>,
    /// Settings of the evaluation, copied from the file without changes.
    pub settings: BTreeMap<String, String>,
    /// Names of settings that were not copied because they may contain a key.
    pub left_out: Vec<String>,
}

/// Counts the answers that have information for which items.csv has no column.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WithoutColumn {
    /// Number of answers that were truncated at the token limit.
    pub(super) n_cut: usize,
    /// Number of answers with token log-probabilities.
    pub(super) n_logprobs: usize,
    /// Number of answers whose response contains further choices.
    pub(super) n_several: usize,
}

impl SourceFile {
    /// Creates the entry of a file, without settings.
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let (samples_sha256, settings) = (BTreeMap::new(), BTreeMap::new());
        Self { file, sha256: seed::sha256_hex(bytes), samples_sha256, settings, left_out: vec![] }
    }
}

impl Imported {
    /// An empty import.
    pub fn empty() -> Self {
        let schema = Schema::new("imported_scores", 1);
        let provenance = Provenance { schema, sources: vec![] };
        let (scores, items, notes, faults) = (vec![], vec![], vec![], vec![]);
        Self { scores, items, provenance, notes, faults, given_items: BTreeMap::new() }
    }

    /// Looks up the number of items that the user gave for a task, and records that it was used.
    pub(super) fn given_items(&mut self, options: &ImportOptions, task: &str) -> Option<usize> {
        let n = *options.n_items.get(task)?;
        self.given_items.insert(task.into(), n);
        Some(n)
    }

    /// Adds the result of another file.
    pub fn extend(&mut self, other: Self) {
        self.scores.extend(other.scores);
        self.items.extend(other.items);
        self.faults.extend(other.faults);
        self.provenance.sources.extend(other.provenance.sources);
        self.notes.extend(other.notes);
        self.given_items.extend(other.given_items);
    }

    /// Adds a note that begins with a count, unless the count is 0.
    pub(super) fn count(&mut self, n: usize, what: &str) {
        self.notes.extend((n > 0).then(|| format!("{n} {what}")));
    }

    /// Adds notes on information for which items.csv has no column.
    pub(super) fn count_without_column(&mut self, found: WithoutColumn) {
        self.count(found.n_cut, "answers were truncated at the token limit; the grades of the file are kept");
        let what = "answers have token log-probabilities, for which items.csv has no column";
        self.count(found.n_logprobs, what);
        self.count(found.n_several, "answers have more than one choice; only the first is kept");
    }

    /// Adds graded answers and their score.
    pub(super) fn add(&mut self, answers: Answers) {
        self.scores.extend(answers.score());
        self.items.extend(answers.items());
    }

    /// Adds a file with its copied settings, and notes on settings that were left out and keys that were
    /// redacted.
    pub(super) fn add_source(&mut self, source: SourceFile, settings: Settings, keys: &KeyRedaction) {
        let source = SourceFile { settings: settings.kept, left_out: settings.left_out, ..source };
        if !source.left_out.is_empty() {
            let names = source.left_out.join(", ");
            self.notes.push(format!(
                "{}: these settings are not copied, because they may contain a key: {names}",
                source.file
            ));
        }
        self.notes.extend(keys.note().map(|note| format!("{} {note}", source.file)));
        self.provenance.sources.push(source);
    }
}
