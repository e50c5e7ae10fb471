//! Whether the cache has the latest revision: asked once, with a short timeout.

use std::sync::mpsc;
use std::time::Duration;

use super::connection::Connection;
use super::fault::Fault;
use super::fetch::{self, Listing};
use super::id::Id;
use super::settings::HubSettings;
use crate::error::Error;

/// How long a hub is waited for where the cache has the model.
const TIMEOUT: Duration = Duration::from_millis(800);

/// What came of it.
pub(super) enum Answer {
    Listing(Listing),
    /// The hub is not there, or too slow.
    Away(String),
    /// It would refuse again.
    Refused(Error),
}

/// Asks for the list of files of an id that is in the cache.
pub(super) fn ask(settings: &HubSettings, id: &Id) -> Answer {
    let (to, from) = mpsc::channel();
    let (owned, copy) = (settings.clone(), id.clone());
    // Not joined: looking up the name of a hub can take as long as the system likes.
    let started = std::thread::Builder::new().spawn(move || {
        let answer = Connection::new(&owned, &copy).map_err(Fault::Final).and_then(|c| fetch::ask(&c));
        // Nobody listens any more where it took too long.
        to.send(answer).unwrap_or_default();
    });
    if let Err(error) = started {
        return Answer::Away(format!("the system starts no thread that could ask ({error})"));
    }
    match from.recv_timeout(TIMEOUT) {
        Ok(Ok(listing)) => Answer::Listing(listing),
        Ok(Err(Fault::Final(error))) => Answer::Refused(error),
        Ok(Err(Fault::Passing { reason, .. } | Fault::Unreachable { reason, .. })) => Answer::Away(reason),
        Err(_) => {
            Answer::Away(format!("{} does not answer within {} ms", settings.endpoint, TIMEOUT.as_millis()))
        }
    }
}
