//! Requests the latest revision from the hub, with a short timeout, to check whether the cache has it.

use std::sync::mpsc;
use std::time::Duration;

use super::connection::Connection;
use super::fault::Fault;
use super::fetch::{self, Listing};
use super::id::Id;
use super::settings::HubSettings;
use crate::error::Error;

/// Timeout of the request.
const TIMEOUT: Duration = Duration::from_millis(800);

/// The outcome of the request.
pub(super) enum Answer {
    Listing(Listing),
    /// The hub is unreachable or did not respond in time. Contains the reason.
    Away(String),
    /// The hub refused the request, and a retry would fail again.
    Refused(Error),
}

/// Requests the list of files of a cached id.
pub(super) fn ask(settings: &HubSettings, id: &Id) -> Answer {
    let (to, from) = mpsc::channel();
    let (owned, copy) = (settings.clone(), id.clone());
    // The thread is not joined, because the DNS lookup of a host has no timeout.
    let started = std::thread::Builder::new().spawn(move || {
        let answer = Connection::new(&owned, &copy).map_err(Fault::Final).and_then(|c| fetch::ask(&c));
        // Sending fails after the timeout, when the receiver no longer exists.
        to.send(answer).unwrap_or_default();
    });
    if let Err(error) = started {
        return Answer::Away(format!("cannot start a thread for a request to the hub ({error})"));
    }
    match from.recv_timeout(TIMEOUT) {
        Ok(Ok(listing)) => Answer::Listing(listing),
        Ok(Err(Fault::Final(error))) => Answer::Refused(error),
        Ok(Err(Fault::Passing { reason, .. } | Fault::Unreachable { reason, .. })) => Answer::Away(reason),
        Err(_) => {
            Answer::Away(format!("{} did not respond within {} ms", settings.endpoint, TIMEOUT.as_millis()))
        }
    }
}
