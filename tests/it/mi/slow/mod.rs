//! Slow tests of the estimators: every edge case for each estimator. `-- --skip slow::` leaves them out.

pub mod contract;
pub mod contract_matrix;
