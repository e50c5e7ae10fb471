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
    /// The numbers of items of tasks whose file does not state it.
    pub n_items: BTreeMap<String, usize>,
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
    /// The numbers of items that were taken from [`ImportOptions::n_items`].
    pub(super) given_items: BTreeMap<String, usize>,
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

/// What answers have beside the columns of items.csv.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WithoutColumn {
    /// Answers cut at the token limit.
    pub(super) n_cut: usize,
    /// Answers with log-probabilities of their tokens.
    pub(super) n_logprobs: usize,
    /// Answers with further ones to the same request.
    pub(super) n_several: usize,
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
        let (scores, items, notes, faults) = (vec![], vec![], vec![], vec![]);
        Self { scores, items, provenance, notes, faults, given_items: BTreeMap::new() }
    }

    /// The number of items of a task whose file does not state it, if it was given.
    pub(super) fn given_items(&mut self, options: &ImportOptions, task: &str) -> Option<usize> {
        let n = *options.n_items.get(task)?;
        self.given_items.insert(task.into(), n);
        Some(n)
    }

    /// Adds the import of another file.
    pub fn extend(&mut self, other: Self) {
        self.scores.extend(other.scores);
        self.items.extend(other.items);
        self.faults.extend(other.faults);
        self.provenance.sources.extend(other.provenance.sources);
        self.notes.extend(other.notes);
        self.given_items.extend(other.given_items);
    }

    /// Says of how many things there are some.
    pub(super) fn count(&mut self, n: usize, what: &str) {
        self.notes.extend((n > 0).then(|| format!("{n} {what}")));
    }

    /// Says what answers have beside the columns.
    pub(super) fn count_without_column(&mut self, found: WithoutColumn) {
        self.count(found.n_cut, "answers were cut at the token limit; the file's grades are kept");
        let what = "answers have log-probabilities of their tokens, for which there is no column";
        self.count(found.n_logprobs, what);
        self.count(found.n_several, "answers have more than one choice: the first is kept");
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
