//! Defines how often and for how long a run retries.

use std::time::Duration;

/// Exponential backoff, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first wait if the server does not specify one. Each further wait is twice as long.
    pub first_s: f64,
    /// Maximum wait, regardless of what the server asks for.
    pub longest_s: f64,
}

/// Limits of concurrency, retries and waits, and the conditions under which a run ends early.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Maximum number of requests in flight.
    pub concurrency: usize,
    /// Maximum number of retries of a question after the server reported an error.
    pub retries: u32,
    /// Maximum number of retries of a question after a request was sent and its answer did not arrive
    /// completely.
    pub unknown_retries: u32,
    /// Waits between requests.
    pub backoff: Backoff,
    /// Time without an answer after which the run ends.
    pub idle_timeout: Duration,
    /// Whether a run continues even if many answers are truncated at the token limit.
    pub keep_truncated: bool,
    /// The required model snapshot, if any.
    pub model_snapshot: Option<String>,
}
