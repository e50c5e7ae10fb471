//! Reads the requests of batches from a journal, in the order in which they were written.

use std::collections::HashMap;
use std::path::Path;

use super::question_key::QuestionKey;
use super::scan::{self, IndexEntry, RecordSpan};
use crate::error::Result;

/// A request of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchIntent {
    /// The question.
    pub key: QuestionKey,
    /// The attempt.
    pub attempt: u32,
    /// Position of the record of the intent.
    pub place: RecordSpan,
}

/// The requests of all batches in a journal, by batch name, in the order of the requests.
///
/// # Errors
/// [`crate::Error::Storage`] if the journal cannot be read.
pub fn batch_intents(path: &Path) -> Result<HashMap<String, Vec<BatchIntent>>> {
    let mut batches: HashMap<String, Vec<BatchIntent>> = HashMap::new();
    scan::scan(path, |place, entry| {
        if let IndexEntry::Intent { key, attempt, batch: Some(batch), .. } = entry {
            batches.entry(batch).or_default().push(BatchIntent { key, attempt, place });
        }
    })?;
    Ok(batches)
}
