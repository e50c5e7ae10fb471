//! What the columns of observations.csv mean to a calibration.

use super::features::FEATURES;
use crate::mi::Scale;

/// Columns that say how a row was measured; a card holds for rows that were measured alike.
pub const CONDITIONS: [&str; 5] = ["corpus_sha256", "n_windows", "shots", "scale", "noise_scale"];

/// The column that says which reader read the texts, and how; also a condition.
pub const READER: &str = "reader";

/// The target's own headline and what is derived from it: responses, never features.
pub const ANSWERS: [&str; 7] = [
    "n_seeds",
    "emergence_nats",
    "emergence_stderr_nats",
    "learned_nats",
    "random_init_nats",
    "seed_stderr_nats",
    "emergence_bits_per_byte",
];

/// Columns of surmise's own tables under their names in earlier versions, and their names now.
const RENAMED: [(&str, &str); 4] = [
    ("setting", "noise_scale"),
    ("twin_nats", "random_init_nats"),
    ("shot", "reading_index"),
    ("interval_recipe", "interval_method"),
];

/// Why a table of an earlier version is refused: the column whose name has changed, and its new name.
/// Under the old name a condition would not be checked, and a response would be taken for a feature.
pub fn renamed(has: impl Fn(&str) -> bool) -> Option<String> {
    let (old, new) = RENAMED.iter().find(|(old, new)| has(old) && !has(new))?;
    Some(format!(
        "column {old} is called {new} now; make the table again with this version, or rename the column"
    ))
}

/// The shape of a model, which goes with its family.
const SHAPE: [&str; 3] = ["n_layers", "d_model", "vocab_size"];

/// Whether a column is measured inside the target itself, so that it is not known of a model behind an API.
pub fn is_internal(column: &str) -> bool {
    FEATURES.iter().any(|feature| feature.name == column) || SHAPE.contains(&column)
}

/// How a scale is written in a cell.
pub(super) fn scale_name(scale: Scale) -> &'static str {
    match scale {
        Scale::Spread => "spread",
        Scale::Norm => "norm",
    }
}
