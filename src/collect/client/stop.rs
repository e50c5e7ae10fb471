//! Ends a run early, and keeps the first reason. A draining run starts no request and waits for the requests
//! in flight. An aborting run does not wait for them.

use std::sync::Mutex;

use tokio::sync::watch;

use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    Draining,
    Aborting,
}

/// The signal to end a run, which all its parts share.
#[derive(Debug)]
pub struct Stop {
    reason: Mutex<Option<Error>>,
    phase: watch::Sender<Phase>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { reason: Mutex::default(), phase: watch::Sender::new(Phase::Running) }
    }
}

impl Stop {
    /// Makes the run start no further requests. Stores the reason, unless an earlier reason is stored.
    pub fn drain(&self, reason: Error) {
        self.reason().get_or_insert(reason);
        self.raise(Phase::Draining);
    }

    /// Makes the run stop waiting for requests in flight.
    pub fn abort(&self) {
        self.raise(Phase::Aborting);
    }

    fn raise(&self, phase: Phase) {
        self.phase.send_if_modified(|now| {
            let raised = phase > *now;
            *now = phase.max(*now);
            raised
        });
    }

    fn reason(&self) -> std::sync::MutexGuard<'_, Option<Error>> {
        self.reason.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether the run starts no further requests.
    pub fn is_draining(&self) -> bool {
        *self.phase.borrow() >= Phase::Draining
    }

    /// Waits until the run starts no further requests.
    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until the run stops waiting for requests in flight.
    pub async fn aborting(&self) {
        self.reached(Phase::Aborting).await;
    }

    async fn reached(&self, phase: Phase) {
        // `self` owns the sender, so the channel is open.
        self.phase.subscribe().wait_for(|now| *now >= phase).await.map(drop).unwrap_or_default();
    }

    /// Takes the reason why the run ended early, if it did.
    pub fn take(&self) -> Option<Error> {
        self.reason().take()
    }
}
