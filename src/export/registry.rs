//! Lists the built-in exporters.

use super::every_eval_ever::EveryEvalEver;
use super::exporter::Exporter;
use super::inspect_json::InspectJson;
use super::lm_eval::LmEval;
use crate::error::Result;
use crate::names;

/// All built-in exporters.
pub static ALL: &[&dyn Exporter] = &[&EveryEvalEver, &InspectJson, &LmEval];

/// Finds an exporter by name.
///
/// # Errors
/// [`crate::Error::Unknown`]
pub fn find(name: &str) -> Result<&'static dyn Exporter> {
    names::find(name, ALL, |exporter| exporter.name()).copied().ok_or_else(|| {
        let known: Vec<_> = ALL.iter().map(|exporter| exporter.name()).collect();
        let hint = format!("the formats are {}", known.join(", "));
        names::unknown("format", name, known, &hint)
    })
}
