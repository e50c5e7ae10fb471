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

/// All built-in importers. The first importer that recognises a file reads the file. The importer of the
/// lm-evaluation-harness is last, because it recognises a member `results`, which files of other tools also
/// have.
pub static ALL: &[&dyn Importer] = &[&Inspect, &Helm, &EveryEvalEver, &OpenAiEvals, &SimpleEvals, &LmEval];

/// Whether any importer recognises a file.
pub(super) fn is_known(file: &Opened<'_>) -> bool {
    ALL.iter().any(|importer| importer.sniff(file))
}

/// Finds the importer that recognises a file.
///
/// # Errors
/// [`Error::Foreign`] if no importer recognises the file. The message lists the files that each importer
/// reads.
pub(super) fn importer_of(file: &Opened<'_>) -> Result<&'static dyn Importer> {
    ALL.iter().find(|importer| importer.sniff(file)).copied().ok_or_else(|| {
        let known: Vec<_> =
            ALL.iter().map(|importer| format!("{}: {}", importer.name(), importer.summary())).collect();
        let reason =
            format!("is not recognised by any importer; surmise reads these files: {}", known.join("; "));
        Error::Foreign { path: file.path.into(), reason }
    })
}
