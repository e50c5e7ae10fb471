//! What the columns of observations.csv mean to a calibration.

use super::cell::ColumnRole;
use super::observation::Observation;
use super::semantic::SemanticObservation;
use crate::disk;

/// Columns of surmise's own tables under their names in earlier versions, and their names now.
pub const RENAMED: [(&str, &str); 3] =
    [("setting", "noise_scale"), ("twin_nats", "random_init_nats"), ("shot", "reading_index")];

/// Why a table of an earlier version is refused: the columns whose name has changed, and their new names.
/// Under the old name a condition would not be checked, and a response would be taken for a feature.
pub fn renamed(has: impl Fn(&str) -> bool) -> Option<String> {
    disk::renamed_columns(&RENAMED, has)
}

/// The same for a table that is given to a calibration, where other people's columns may have the old names:
/// it is surmise's own if it has the conditions of a measurement, or the features of a blind test.
pub fn renamed_in_observations(has: impl Fn(&str) -> bool) -> Option<String> {
    let is_joined = with_role(ColumnRole::Condition).first().is_some_and(|column| has(column));
    let is_blind = has("context_nats") && has("recipe") && !has("family");
    match (is_joined, is_blind) {
        (true, _) => renamed(has),
        (_, true) => {
            Some("column recipe is called family now; run the blind test again into another folder".into())
        }
        _ => None,
    }
}

/// The shape of a model, which goes with its family.
const SHAPE: [&str; 3] = ["n_layers", "d_model", "vocab_size"];

/// Columns that say how the rows of a table were measured, if it is one of observations; a card holds for
/// rows that were measured alike. Which they are depends on the estimand.
pub fn conditions(has: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let positional = with_role(ColumnRole::Condition);
    let semantic = SemanticObservation::default().cells().into_iter();
    let semantic = semantic.filter(|cell| cell.role == ColumnRole::Condition).map(|cell| cell.name);
    [positional, semantic.collect()].into_iter().find(|columns| columns.iter().all(|column| has(column)))
}

/// The column that says which reader read the texts, and how; also a condition, where a table has it.
pub fn reader() -> Vec<String> {
    with_role(ColumnRole::Reader)
}

/// Whether a column is the target's own headline or derived from it, of either estimand: a response, never a
/// feature.
pub fn is_response(column: &str) -> bool {
    let semantic = SemanticObservation::default().cells();
    let is_semantic = semantic.iter().any(|cell| cell.role == ColumnRole::Response && cell.name == column);
    is_semantic || with_role(ColumnRole::Response).iter().any(|name| name == column)
}

/// Whether a column is measured inside the target itself, so that it is not known of a model behind an API.
pub fn is_internal(column: &str) -> bool {
    SHAPE.contains(&column) || with_role(ColumnRole::Internal).iter().any(|name| name == column)
}

/// Columns that hold text, in tables of either estimand; all others hold numbers.
const TEXT: [&str; 10] = [
    "target_model",
    "family",
    "proxy_model",
    "corpus",
    "corpus_sha256",
    "form",
    "scale",
    "reader",
    "status",
    "note",
];

/// Whether a column holds text, which may look like a number.
pub fn is_text(column: &str) -> bool {
    TEXT.contains(&column)
}

fn with_role(role: ColumnRole) -> Vec<String> {
    let cells = Observation::default().cells().into_iter();
    cells.filter(|cell| cell.role == role).map(|cell| cell.name).collect()
}
