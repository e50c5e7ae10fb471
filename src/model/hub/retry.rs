//! Retries failed requests to a hub.

use std::time::Duration;

use super::connection::Connection;
use super::fault::Fault;
use crate::error::Result;

/// Maximum number of attempts without progress.
const MOST_ATTEMPTS: u32 = 5;
/// Number of downloaded bytes that count as progress. The count of attempts then starts again.
const PROGRESS_BYTES: u64 = 1 << 20;

impl Connection<'_> {
    /// Repeats `step` until it succeeds, fails permanently, or has failed too often without progress.
    pub(super) fn with_retries<T>(
        &self,
        what: &str,
        step: impl FnMut() -> std::result::Result<T, Fault>,
    ) -> Result<T> {
        self.repeat(what, step, MOST_ATTEMPTS)
    }

    /// Like `with_retries`, but does not retry if no connection can be established. This is for the first
    /// request to a hub, which may be unreachable.
    pub(super) fn with_retries_once_reached<T>(
        &self,
        what: &str,
        step: impl FnMut() -> std::result::Result<T, Fault>,
    ) -> Result<T> {
        self.repeat(what, step, 1)
    }

    /// Repeats `step` as described for `with_retries`, but stops after `most_unreachable` failures to
    /// connect.
    fn repeat<T>(
        &self,
        what: &str,
        mut step: impl FnMut() -> std::result::Result<T, Fault>,
        most_unreachable: u32,
    ) -> Result<T> {
        let (mut attempts, mut unreachable, mut gained) = (0, 0, 0);
        loop {
            let (reason, source, wait) = match step() {
                Ok(done) => return Ok(done),
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Passing { reason, source, gained_bytes, wait }) => {
                    gained += gained_bytes;
                    (reason, source, wait)
                }
                Err(Fault::Unreachable { reason, source }) => {
                    unreachable += 1;
                    (reason, source, Duration::ZERO)
                }
            };
            if gained >= PROGRESS_BYTES {
                (attempts, gained) = (0, 0);
            }
            attempts += 1;
            if attempts >= MOST_ATTEMPTS || unreachable >= most_unreachable {
                let how_often = if attempts == 1 { String::new() } else { format!(", {attempts} times") };
                let reason = format!(
                    "{what}: {reason}{how_often}; check the network and run again (downloaded parts are \
                     kept), give a folder, or use --offline if the model was \
                     downloaded before"
                );
                return Err(self.settings.fault(self.id, reason, source));
            }
            // With the default timeout, the waits are 0.5 s, 1 s, 2 s and 4 s.
            std::thread::sleep((self.settings.idle / 60 * 2_u32.pow(attempts - 1)).max(wait));
        }
    }
}
