//! Tests of the estimators on samples with known mutual information.

pub mod channel;
pub mod channel_edges;
pub mod fooling;
pub mod independence;
pub mod information;
mod rows;
pub mod slow;
