//! Predictions: a card and a table become one row per query, with an interval or the reason for a refusal.

pub(super) mod caveats;
pub(super) mod extrapolation_limit;
pub(super) mod predict;
pub(super) mod row;
pub(super) mod support;
