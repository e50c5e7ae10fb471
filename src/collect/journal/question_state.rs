//! Stores the state of one question in few bytes.

use super::scan::RecordSpan;

/// Kinds of outcomes and classes of failures. In memory, each is stored as its index in this list; unknown
/// names get index 0.
const NAMES: [&str; 20] = [
    "other",
    "answered",
    "refused",
    "filtered",
    "truncated",
    "empty",
    "unreadable",
    "not_sent",
    "rejected",
    "overloaded",
    "unknown",
    "invalid",
    "quota",
    "credentials",
    "no_model",
    "redirect",
    "unsupported",
    "too_large",
    "forbidden",
    "too_high",
];

/// The state of one question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionState {
    /// Number of requests sent so far.
    pub attempts: u32,
    /// The highest number of an attempt with an outcome.
    pub(super) closed: u32,
    pub(super) last: Option<Last>,
}

/// The outcome that counts: the first answer, or the last failure if there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) offset: u64,
    pub(super) n_bytes: u32,
    pub(super) end: LastOutcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastOutcome {
    Answer(u8),
    Failure(u8),
}

impl QuestionState {
    /// The kind of the answer, if the question has one.
    pub fn answer(&self) -> Option<&'static str> {
        match self.last?.end {
            LastOutcome::Answer(kind) => Some(NAMES[usize::from(kind)]),
            LastOutcome::Failure(_) => None,
        }
    }

    /// The class of the last failure, if the question has no answer.
    pub fn failure(&self) -> Option<&'static str> {
        match self.last?.end {
            LastOutcome::Failure(class) => Some(NAMES[usize::from(class)]),
            LastOutcome::Answer(_) => None,
        }
    }

    /// The position of the record of the answer, or of the last failure if there is no answer.
    pub fn place(&self) -> Option<RecordSpan> {
        self.last.map(|last| RecordSpan { offset: last.offset, n_bytes: last.n_bytes.into() })
    }
}

pub(super) fn number(name: &str) -> u8 {
    NAMES.iter().position(|known| *known == name).unwrap_or(0) as u8
}
