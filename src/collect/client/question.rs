//! Defines a question that is ready to be sent, and its possible outcomes.

use crate::collect::budget::reservation::Reservation;
use crate::collect::first_answers::CheckedQuestion;
use crate::collect::journal::QuestionKey;
use crate::provider::{Answer, Failure, WireRequest};

/// A question, rendered in the wire format.
pub(crate) struct PreparedQuestion {
    pub(crate) key: QuestionKey,
    pub(crate) task: String,
    pub(crate) item: String,
    pub(crate) replicate: u32,
    /// Whether the question is a probe.
    pub(crate) probe: bool,
    /// Number of requests for this question in earlier runs.
    pub(crate) attempts: u32,
    /// Data for the check of the answer; `None` if the answer is not checked.
    pub(crate) checked: Option<Box<CheckedQuestion>>,
    pub(crate) wire: WireRequest,
    /// The maximum cost of one request.
    pub(crate) most: Reservation,
}

/// How a question ended.
pub(crate) enum QuestionOutcome {
    /// The question has an answer of any kind. For a probe, the variant contains the answer.
    Answered(Option<Box<Answer>>),
    /// The question has no answer, and is not asked again in this run.
    Failed(Failure),
    /// The question is left for another run.
    Deferred,
}
