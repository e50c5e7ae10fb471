//! Parts of the `channel` estimator: points with noise, the scale of the noise, the bounds, and the Gaussian
//! ceiling.

pub(super) mod bounds;
pub(super) mod gaussian_capacity;
mod log_sum_exp;
pub(super) mod points;
pub mod scale;
