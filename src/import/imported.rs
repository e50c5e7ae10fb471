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
    /// `METRIC` or `METRIC,FILTER`; `None` selects all accuracies.
    pub metric: Option<String>,
    /// The name of the model, replacing that of the file.
    pub model: Option<String>,
    /// The number of shots, replacing that of the file.
    pub shots: Option<usize>,
    /// Whether to import runs on a part of a task.
    pub limited: bool,
    /// The number of items for each task whose file does not state it.
    pub n_items: BTreeMap<String, usize>,
}

/// Scores imported from the files of other tools.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Rows of scores.csv.
    pub scores: Vec<Score>,
    /// Rows of items.csv, for scores whose answers are in the files.
    pub items: Vec<ImportedItem>,
    /// The provenance of the scores.
    pub provenance: Provenance,
    /// Messages about parts that were not imported, and why.
    pub notes: Vec<String>,
    /// Files that could not be imported, and scores on which files disagree.
    pub faults: Vec<String>,
    /// The numbers of items that were used from [`ImportOptions::n_items`].
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

/// One file of another tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// The name of the file.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The SHA-256 of each samples file that was read with it, by task.
    pub samples_sha256: BTreeMap<String, String>,
    /// Settings of the evaluation, unchanged from the file.
    pub settings: BTreeMap<String, String>,
    /// Names of settings that were not copied because they may contain a key.
    pub left_out: Vec<String>,
}

/// Counts of answers with information that items.csv has no column for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WithoutColumn {
    /// Answers truncated at the token limit.
    pub(super) n_cut: usize,
    /// Answers with token log-probabilities.
    pub(super) n_logprobs: usize,
    /// Answers whose request has further answers.
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

    /// The given number of items of a task whose file does not state it.
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

    /// Adds a note with a count, unless it is 0.
    pub(super) fn count(&mut self, n: usize, what: &str) {
        self.notes.extend((n > 0).then(|| format!("{n} {what}")));
    }

    /// Adds notes on information without a column.
    pub(super) fn count_without_column(&mut self, found: WithoutColumn) {
        self.count(found.n_cut, "answers were truncated at the token limit; the grades of the file are kept");
        let what = "answers have token log-probabilities, which items.csv has no column for";
        self.count(found.n_logprobs, what);
        self.count(found.n_several, "answers have more than one choice; only the first is kept");
    }

    /// Adds graded answers and their score.
    pub(super) fn add(&mut self, answers: Answers) {
        self.scores.extend(answers.score());
        self.items.extend(answers.items());
    }

    /// Adds a file with its copied settings, and notes what was left out.
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
