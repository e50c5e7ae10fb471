//! Builds observations of the semantic estimand: one row per target and corpus at one number of examples. A
//! row has what is known about the target from outside, and what is measured inside a small proxy. The
//! responses are the target's own share over depth, its onset and its micro information.

mod answers;
mod inputs;
mod join;
mod measured;
mod observation;

use crate::emergence::semantic::SemanticProfile;

pub use self::answers::SemanticAnswersRow;
pub use self::inputs::SemanticInputs;
pub use self::join::join;
pub(super) use self::observation::SemanticObservation;

/// The columns that are measured inside the target and can be predicted.
pub fn responses() -> Vec<String> {
    measured::QUANTITIES.iter().map(|quantity| format!("semantic_{}", quantity.name)).collect()
}

/// The value of a response (one of [`responses`]), as measured inside a model at a number of examples. `None`
/// if the value is missing or `column` is not a response.
pub fn response(profile: &SemanticProfile, shots: usize, column: &str) -> Option<f64> {
    let name = column.strip_prefix("semantic_")?;
    let quantity = measured::QUANTITIES.iter().find(|quantity| quantity.name == name)?;
    let summary = profile.shots.iter().find(|summary| summary.shots == shots)?;
    (quantity.value)(summary)
}

/// The columns of semantic observations, in order.
pub fn columns() -> Vec<String> {
    SemanticObservation::default().cells().into_iter().map(|cell| cell.name).collect()
}
