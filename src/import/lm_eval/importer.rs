//! Imports results of the lm-evaluation-harness.

use std::path::Path;

use super::{results, samples};
use crate::collect::results::scores::Score;
use crate::error::Result;
use crate::import::imported::{ImportOptions, Imported};
use crate::import::importer::Importer;
use crate::import::opened::Opened;

/// The importer for results and samples of the lm-evaluation-harness.
#[derive(Debug, Clone, Copy)]
pub struct LmEval;

const COUNTED_AS_WRONG: &str = "The harness counts refused, filtered and truncated answers as wrong, so \
                                the import cannot distinguish them from wrong answers.";

fn is_samples(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("samples_"))
}

impl Importer for LmEval {
    fn name(&self) -> &'static str {
        "lm-evaluation-harness"
    }

    fn summary(&self) -> &'static str {
        "results_*.json with the samples_*.jsonl next to them, or samples_*.jsonl alone (versions 0.3 to \
         0.4.13)"
    }

    fn sniff(&self, file: &Opened<'_>) -> bool {
        is_samples(file.path) || file.has(&["results"]) || file.has(&["lm_eval_version"])
    }

    fn import(&self, file: &Opened<'_>, options: &ImportOptions) -> Result<Imported> {
        let (path, bytes) = (file.path, file.bytes);
        let mut imported = Imported::empty();
        if is_samples(path) {
            samples::read_without_results(path, bytes, options, &mut imported)?;
        } else {
            results::read(path, bytes, options, &mut imported)?;
        }
        // An export of surmise states the kind of each answer.
        let is_distinguished = |score: &Score| score.n_refused + score.n_filtered + score.n_truncated > 0;
        if !imported.scores.iter().any(is_distinguished) {
            imported.notes.push(COUNTED_AS_WRONG.into());
        }
        Ok(imported)
    }

    fn reads_beside(&self, path: &Path) -> bool {
        is_samples(path) && path.extension().is_some_and(|extension| extension == "jsonl")
    }
}
