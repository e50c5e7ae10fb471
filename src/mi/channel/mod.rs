//! What the `channel` estimator is made of: points with noise, the scale of that noise, the bounds, and their
//! ceilings.

pub(super) mod bounds;
pub(super) mod ceilings;
pub(super) mod log_sum_exp;
pub(super) mod points;
pub mod scale;
