//! From answers to files: scores, items and texts, computed from the journal.

pub(super) mod decode;
pub mod replay;
pub mod scores;
pub mod semantic;
pub mod writer;
