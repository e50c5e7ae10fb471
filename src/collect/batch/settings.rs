//! Defines the settings of batches.

use std::time::Duration;

/// Settings of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// How long the run waits for its batches. The provider continues to process them afterwards.
    pub timeout: Duration,
    /// Maximum number of requests in a batch; `None` selects the provider's limit.
    pub most_requests: Option<usize>,
    /// Whether to cancel the open batches and ask no further question.
    pub cancel: bool,
}

impl Default for BatchSettings {
    /// Sets a timeout of 26 hours, a little longer than the day within which providers end a batch.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(26 * 3600), most_requests: None, cancel: false }
    }
}
