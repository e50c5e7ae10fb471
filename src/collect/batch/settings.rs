//! How batches are asked.

use std::time::Duration;

/// How batches are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSettings {
    /// How long the run waits for its batches; they go on without it.
    pub timeout: Duration,
    /// Most requests of a batch, if fewer than the provider allows.
    pub most_requests: Option<usize>,
    /// Whether the open batches are cancelled, and nothing more is asked.
    pub cancel: bool,
}
