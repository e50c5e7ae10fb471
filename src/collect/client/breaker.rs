//! Implements the circuit breaker: if many consecutive questions fail in the same way, the fault is most
//! likely in the run, not in the questions.

use std::collections::HashSet;
use std::sync::Mutex;

use crate::collect::journal::QuestionKey;
use crate::provider::Failure;

/// Number of different questions that must fail in the same way, without an answer in between, to end a run.
pub const MAX_SIMILAR_FAILURES: usize = 10;

/// Counts consecutive similar failures.
#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<(String, HashSet<QuestionKey>)>,
}

impl Breaker {
    fn state(&self) -> std::sync::MutexGuard<'_, (String, HashSet<QuestionKey>)> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Resets the count after an answer.
    pub fn reset(&self) {
        self.state().1.clear();
    }

    /// Counts a failure. Returns whether the limit is reached.
    pub fn trips(&self, key: QuestionKey, failure: &Failure) -> bool {
        let kind = format!("{} {:?} {:?}", failure.class.name(), failure.code, failure.param);
        self.note(key, &kind, &failure.message)
    }

    /// Counts an answer that cannot be read. Returns whether the limit is reached.
    pub fn trips_unreadable(&self, key: QuestionKey, reason: &str) -> bool {
        self.note(key, "unreadable", reason)
    }

    fn note(&self, key: QuestionKey, kind: &str, message: &str) -> bool {
        // Numbers in a message, such as token counts and request ids, differ from question to question, so
        // they are ignored.
        let words: String = message.chars().filter(|c| c.is_alphabetic() || *c == ' ').take(60).collect();
        let fingerprint = format!("{kind} {words}");
        let mut state = self.state();
        if state.0 != fingerprint {
            *state = (fingerprint, HashSet::new());
        }
        state.1.insert(key);
        state.1.len() >= MAX_SIMILAR_FAILURES
    }
}
