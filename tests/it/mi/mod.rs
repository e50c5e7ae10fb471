//! Estimators against known mutual information.

pub mod channel;
pub mod channel_edges;
pub mod contract;
pub mod contract_matrix;
pub mod independence;
pub mod information;
mod rows;
