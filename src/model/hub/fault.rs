//! Why a request to a hub failed: for the moment, or for good.

use std::time::Duration;

use super::settings::Cause;
use crate::error::Error;

/// Why a request failed.
pub(super) enum Fault {
    /// It may succeed in a moment.
    Passing {
        reason: String,
        source: Option<Cause>,
        /// Bytes of the file that were received.
        gained_bytes: u64,
        /// How long the server asked to wait.
        wait: Duration,
    },
    /// No connection was made: refused, or a host without an address.
    Unreachable { reason: String, source: Option<Cause> },
    /// It would fail again.
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
