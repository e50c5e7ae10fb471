//! Slow tests of the estimators: every edge for each of them. `-- --skip slow::` leaves them out.

pub mod contract;
pub mod contract_matrix;
