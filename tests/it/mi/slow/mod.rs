//! Slow tests of the estimators: every edge case for each estimator. `cargo test -- --skip slow::` skips
//! them.

pub mod contract;
pub mod contract_matrix;
