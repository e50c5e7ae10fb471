//! Computes scores, items and texts from the journal and writes them to files.

pub mod check;
pub(super) mod decode;
pub(crate) mod facts;
pub mod graded;
mod item_row;
pub mod replay;
pub mod scores;
pub mod semantic;
pub(crate) mod spreadsheet;
pub mod tally;
pub mod writer;

pub use self::item_row::{ItemRow, Replicate};
