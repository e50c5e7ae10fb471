//! A question that is ready to be sent, and how it can end.

use crate::collect::budget::ledger::Reservation;
use crate::collect::first_answers::CheckedQuestion;
use crate::collect::journal::QuestionKey;
use crate::provider::{Answer, Failure, WireRequest};

/// A question, rendered for the wire.
pub(crate) struct PreparedQuestion {
    pub(crate) key: QuestionKey,
    pub(crate) task: String,
    pub(crate) item: String,
    pub(crate) replicate: u32,
    /// Whether the request is the probe.
    pub(crate) probe: bool,
    /// Requests for this question in earlier runs.
    pub(crate) attempts: u32,
    /// What its answer is compared with, among the first of a run.
    pub(crate) checked: Option<Box<CheckedQuestion>>,
    pub(crate) wire: WireRequest,
    /// The maximum cost of one request.
    pub(crate) most: Reservation,
}

/// How a question ended.
pub(crate) enum QuestionOutcome {
    /// It has an answer of any kind; that of a probe is here.
    Answered(Option<Box<Answer>>),
    /// It has no answer, and gets none in this run.
    Failed(Failure),
    /// It is left for another run.
    Deferred,
}
