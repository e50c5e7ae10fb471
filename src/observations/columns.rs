//! Defines the roles of the columns of observations.csv in a calibration.

use super::cell::ColumnRole;
use super::observation::Observation;
use super::semantic::SemanticObservation;
use crate::disk;

/// The former and the current names of columns in surmise's own tables.
pub const RENAMED: [(&str, &str); 3] =
    [("setting", "noise_scale"), ("twin_nats", "random_init_nats"), ("shot", "reading_index")];

/// The reason to refuse a table of an earlier version: the renamed columns and their new names. Under an old
/// name, a condition would not be checked, and a response would be used as a feature.
pub fn renamed(has: impl Fn(&str) -> bool) -> Option<String> {
    disk::renamed_columns(&RENAMED, has)
}

/// Like [`renamed`], but for a table given to a calibration, which may contain unrelated columns with these
/// names. Renamed columns are reported only if the table was written by surmise: it has the conditions of a
/// measurement or the features of a blind test.
pub fn renamed_in_observations(has: impl Fn(&str) -> bool) -> Option<String> {
    let is_joined = with_role(ColumnRole::Condition).first().is_some_and(|column| has(column));
    let is_blind = has("context_nats") && has("recipe") && !has("family");
    match (is_joined, is_blind) {
        (true, _) => renamed(has),
        (_, true) => Some(
            "column `recipe` is now called `family`; run the blind test again with another output \
                  folder"
                .into(),
        ),
        _ => None,
    }
}

/// Columns that describe the architecture, which is unknown for a model behind an API.
const SHAPE: [&str; 3] = ["n_layers", "d_model", "vocab_size"];

/// The columns that describe how the rows were measured, if the table contains observations. A card applies
/// only to rows that were measured in the same way. The columns depend on the estimand.
pub fn conditions(has: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let positional = with_role(ColumnRole::Condition);
    let semantic = SemanticObservation::default().cells().into_iter();
    let semantic = semantic.filter(|cell| cell.role == ColumnRole::Condition).map(|cell| cell.name);
    [positional, semantic.collect()].into_iter().find(|columns| columns.iter().all(|column| has(column)))
}

/// The column of the reader model of the texts and its settings. In tables that have this column, it is also
/// a condition.
pub fn reader() -> Vec<String> {
    with_role(ColumnRole::Reader)
}

/// Whether a column is the headline of the target's own profile or derived from this headline, for either
/// estimand: a response, never a feature.
pub fn is_response(column: &str) -> bool {
    let semantic = SemanticObservation::default().cells();
    let is_semantic = semantic.iter().any(|cell| cell.role == ColumnRole::Response && cell.name == column);
    is_semantic || with_role(ColumnRole::Response).iter().any(|name| name == column)
}

/// Whether a column is measured inside the target, so it is unknown for a model behind an API.
pub fn is_internal(column: &str) -> bool {
    SHAPE.contains(&column) || with_role(ColumnRole::Internal).iter().any(|name| name == column)
}

/// Text columns, in tables of either estimand. All other columns contain numbers.
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

/// Whether a column contains text, even if its cells look like numbers.
pub fn is_text(column: &str) -> bool {
    TEXT.contains(&column)
}

fn with_role(role: ColumnRole) -> Vec<String> {
    let cells = Observation::default().cells().into_iter();
    cells.filter(|cell| cell.role == role).map(|cell| cell.name).collect()
}
