//! What a request is worth trying again for, and how often.

use std::time::Duration;

use super::Cause;
use super::route::Route;
use crate::error::{Error, Result};

/// Requests for one thing before it counts as not to be had.
const MOST_ATTEMPTS: u32 = 5;
/// So much of a file, and the server is given all attempts again.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Why a request gave nothing.
pub(crate) enum Fault {
    /// May be better in a moment.
    Passing {
        reason: String,
        source: Option<Cause>,
        /// Bytes of the file that did come.
        gained_bytes: u64,
        /// What the server asked for.
        wait: Duration,
    },
    /// Will be the same again.
    Final(Error),
}

impl Fault {
    pub(crate) fn passing(reason: impl Into<String>) -> Self {
        Self::Passing { reason: reason.into(), source: None, gained_bytes: 0, wait: Duration::ZERO }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Route<'_> {
    /// Does `step` until it is done, fails for good, or has failed too often without getting on.
    pub(crate) fn patiently<T>(
        &self,
        what: &str,
        mut step: impl FnMut() -> std::result::Result<T, Fault>,
    ) -> Result<T> {
        let (mut attempts, mut gained) = (0, 0);
        loop {
            let (reason, source, wait) = match step() {
                Ok(done) => return Ok(done),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Passing { reason, source, gained_bytes, wait }) => {
                    gained += gained_bytes;
                    (reason, source, wait)
                }
            };
            if gained >= PROGRESS_BYTES {
                (attempts, gained) = (0, 0);
            }
            attempts += 1;
            if attempts >= MOST_ATTEMPTS {
                let reason = format!(
                    "{what}: {reason}, {attempts} times; check the network and run again (what has come is \
                     kept), give a folder, or take the model from the cache with --offline if it was \
                     fetched before"
                );
                return Err(self.hub.fault(self.id, reason, source));
            }
            // Half a second, one, two, four at the usual patience.
            std::thread::sleep((self.hub.idle / 60 * 2_u32.pow(attempts - 1)).max(wait));
        }
    }
}
