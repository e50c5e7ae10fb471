//! Numerical building blocks of several modules: matrix kernels, linear algebra and statistics.

pub(super) mod components;
pub mod kernels;
pub(super) mod linear;
pub(super) mod matrix;
pub(super) mod nonnegative;
pub(super) mod normal_scores;
pub mod proportions;
pub(super) mod shown;
pub mod statistics;
