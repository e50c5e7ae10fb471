//! From answers to files: scores, items and texts, computed from the journal.

pub(super) mod reading;
pub mod replay;
pub mod scores;
pub mod writer;
