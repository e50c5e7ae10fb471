//! Observations of the semantic estimand: one row per target and corpus at one number of examples. What can
//! be asked of the target from outside stands beside what is measured inside a small proxy; the responses are
//! the target's own share over depth, its onset and its micro information.

mod answers;
mod inputs;
mod join;
mod measured;
mod observation;

pub use self::answers::SemanticAnswersRow;
pub use self::inputs::SemanticInputs;
pub use self::join::join;
pub(super) use self::observation::SemanticObservation;
