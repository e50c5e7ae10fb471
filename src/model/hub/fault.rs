//! Classifies failed requests to a hub as transient or final.

use std::time::Duration;

use super::settings::Cause;
use crate::error::Error;

/// Why a request failed.
pub(super) enum Fault {
    /// A retry may succeed.
    Passing {
        reason: String,
        source: Option<Cause>,
        /// Bytes of the file that were received.
        gained_bytes: u64,
        /// The time that the server asked to wait before the next request.
        wait: Duration,
    },
    /// No connection was established: the host has no address, or refused the connection.
    Unreachable { reason: String, source: Option<Cause> },
    /// A retry would fail again.
    Final(Error),
}

impl Fault {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self::Passing { reason: reason.into(), source: None, gained_bytes: 0, wait: Duration::ZERO }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}
