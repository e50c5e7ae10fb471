//! Scores made by another tool: results and samples of the lm-evaluation-harness (EleutherAI), versions 0.3
//! to 0.4.13. Only members that are known to hold no key are taken over; the names of the others are told.

mod results;
mod samples;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::results::MetricRow;
use crate::collect::results::scores::Score;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::numeric::proportions::wilson;
use crate::seed;

/// What is imported of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `METRIC` or `METRIC,FILTER`; all accuracies unless told.
    pub metric: Option<String>,
    /// The model's name in place of the file's.
    pub model: Option<String>,
    /// The number of shots in place of the file's.
    pub shots: Option<usize>,
    /// Whether runs that saw only a part of a task are taken.
    pub limited: bool,
}

/// Scores of other tools' files.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Rows of scores.csv.
    pub scores: Vec<Score>,
    /// Where they come from.
    pub provenance: Provenance,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// Where imported scores come from; stands beside them as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Form of the file.
    pub schema: Schema,
    /// The files.
    pub sources: Vec<Source>,
}

/// One file of another tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// SHA-256 of the samples beside it that were read, by task.
    pub samples_sha256: BTreeMap<String, String>,
    /// Settings that say how the scores came about, as they stand in the file.
    pub settings: BTreeMap<String, String>,
    /// Names of settings that were not taken over, because they may hold a key.
    pub left_out: Vec<String>,
}

/// Refuses an output that would replace an input, or samples beside one.
///
/// # Errors
/// [`Error::Parameter`]
pub fn check_apart(inputs: &[PathBuf], output: &Path) -> Result<()> {
    let mut beside = output.as_os_str().to_owned();
    beside.push(".json");
    for written in [output, Path::new(&beside)] {
        let name = written.file_name().map(|name| name.to_string_lossy());
        let is_samples = name.is_some_and(|name| name.starts_with("samples_") && name.ends_with(".jsonl"));
        if inputs.iter().any(|input| disk::is_same(input, written)) || (is_samples && written.exists()) {
            let reason = format!("would replace {}, which is read; choose another name", written.display());
            return Err(Error::Parameter { name: "-o", reason });
        }
    }
    Ok(())
}

/// Imports files; samples are found beside the results they belong to.
///
/// # Errors
/// [`Error::Read`], [`Error::Foreign`]
pub fn import(paths: &[PathBuf], options: &Options) -> Result<Imported> {
    let schema = Schema::new("imported_scores", 1);
    let mut all =
        Imported { scores: vec![], provenance: Provenance { schema, sources: vec![] }, notes: vec![] };
    for path in paths {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let is_samples = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("samples_"));
        if is_samples {
            samples::alone(path, &bytes, options, &mut all)?;
        } else {
            results::read(path, &bytes, options, &mut all)?;
        }
    }
    let mut seen = BTreeMap::new();
    for score in &all.scores {
        if seen.insert((&score.model, &score.task, score.shots), ()).is_some() {
            let reason = format!(
                "{} of {} with {} shots is there twice; import each run once",
                score.task, score.model, score.shots
            );
            return Err(Error::Parameter { name: "FILE", reason });
        }
    }
    Ok(all)
}

fn fault(path: &Path, reason: impl Into<String>) -> Error {
    Error::Foreign { path: path.into(), reason: reason.into() }
}

fn source(path: &Path, bytes: &[u8]) -> Source {
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (samples_sha256, settings) = (BTreeMap::new(), BTreeMap::new());
    Source { file, sha256: seed::sha256_hex(bytes), samples_sha256, settings, left_out: vec![] }
}

/// A row of which only the accuracy is known: the harness counts what was refused, filtered, cut or failed as
/// wrong.
fn score(of: &Run, task: &str, shots: usize, n: usize, correct: f64) -> Score {
    let interval = wilson(correct, n);
    let accuracy = (n > 0).then(|| correct / n as f64);
    Score {
        provider: of.provider.clone(),
        model: of.model.clone(),
        model_snapshot: String::new(),
        task: task.into(),
        shots,
        n_items: n,
        n_scored: n,
        n_refused: 0,
        n_filtered: 0,
        n_truncated: 0,
        n_empty: 0,
        n_unreadable: 0,
        n_error: 0,
        accuracy,
        accuracy_low: interval.map(|(low, _)| low),
        accuracy_high: interval.map(|(_, high)| high),
        accuracy_all_as_wrong: accuracy,
        mean_logprob: None,
        collected_at: of.collected_at.clone(),
    }
}

/// Who answered, and when.
#[derive(Debug, Clone)]
struct Run {
    provider: String,
    model: String,
    collected_at: Option<String>,
}
