//! Retries of requests to a hub.

use super::connection::Connection;
use super::fault::Fault;
use crate::error::Result;

/// Attempts at one thing without progress.
const MOST_ATTEMPTS: u32 = 5;
/// After so many bytes of a file all attempts are given again.
const PROGRESS_BYTES: u64 = 1 << 20;

impl Connection<'_> {
    /// Repeats `step` until it succeeds, fails for good, or has failed too often without progress.
    pub(super) fn with_retries<T>(
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
                return Err(self.settings.fault(self.id, reason, source));
            }
            // Half a second, one, two, four at the usual patience.
            std::thread::sleep((self.settings.idle / 60 * 2_u32.pow(attempts - 1)).max(wait));
        }
    }
}
