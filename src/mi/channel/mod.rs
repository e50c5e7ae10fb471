//! What the `channel` estimator is made of: points with noise, the scale of that noise, the bounds, and the
//! capacity that is their ceiling.

pub(super) mod bounds;
pub(super) mod gaussian_capacity;
mod log_sum_exp;
pub(super) mod points;
pub mod scale;
