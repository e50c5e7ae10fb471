//! How often and for how long a run retries.

use std::time::Duration;

/// Exponential backoff, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first wait where the server names none; it doubles.
    pub first_s: f64,
    /// Maximum wait, whatever the server asks for.
    pub longest_s: f64,
}

/// Limits of concurrency, retries and waits, and the conditions under which a run ends early.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Maximum number of requests in flight.
    pub concurrency: usize,
    /// Retries of a question that the server answered with an error.
    pub retries: u32,
    /// Retries of a question whose request was sent and whose answer did not arrive completely.
    pub unknown_retries: u32,
    /// Waits between requests.
    pub backoff: Backoff,
    /// The run ends after this time without an answer.
    pub idle_timeout: Duration,
    /// Whether a run continues although many answers are truncated at the token limit.
    pub keep_truncated: bool,
    /// The required model snapshot.
    pub model_snapshot: Option<String>,
}
