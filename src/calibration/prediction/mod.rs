//! Predicts with a card: every row of a table gets a prediction with an interval, or the reason for a
//! refusal.

mod advice;
pub(super) mod error_summary;
mod evidence;
mod extrapolation_limit;
mod held_out;
mod notes;
mod placement;
pub(super) mod predict;
mod query;
mod refusal;
pub(super) mod row;
