//! Settings of batches.

use std::time::Duration;

/// Settings of batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// How long the run waits for its batches; they go on without it.
    pub timeout: Duration,
    /// Most requests of a batch, if fewer than the provider allows.
    pub most_requests: Option<usize>,
    /// Whether the open batches are cancelled, and nothing more is asked.
    pub cancel: bool,
}

impl Default for BatchSettings {
    /// Waits a little longer than the day within which a batch ends.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(26 * 3600), most_requests: None, cancel: false }
    }
}
