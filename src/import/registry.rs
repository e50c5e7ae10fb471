//! Lists the built-in importers.

use super::every_eval_ever::EveryEvalEver;
use super::helm::Helm;
use super::importer::Importer;
use super::inspect::Inspect;
use super::lm_eval::LmEval;
use super::openai_evals::OpenAiEvals;
use super::opened::Opened;
use super::simple_evals::SimpleEvals;
use crate::error::{Error, Result};

/// All built-in importers. The first one that recognises a file reads it. The lm-evaluation-harness comes
/// last, because other tools also have a member `results`.
pub static ALL: &[&dyn Importer] = &[&Inspect, &Helm, &EveryEvalEver, &OpenAiEvals, &SimpleEvals, &LmEval];

/// Whether an importer recognises a file.
pub(super) fn is_known(file: &Opened<'_>) -> bool {
    ALL.iter().any(|importer| importer.sniff(file))
}

/// Finds the importer that recognises a file.
///
/// # Errors
/// [`Error::Foreign`] if no importer recognises it, with the files that each one reads.
pub(super) fn importer_of(file: &Opened<'_>) -> Result<&'static dyn Importer> {
    ALL.iter().find(|importer| importer.sniff(file)).copied().ok_or_else(|| {
        let known: Vec<_> =
            ALL.iter().map(|importer| format!("{}: {}", importer.name(), importer.summary())).collect();
        let reason =
            format!("is not recognised by any importer; surmise reads these files: {}", known.join("; "));
        Error::Foreign { path: file.path.into(), reason }
    })
}
