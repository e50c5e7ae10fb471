//! Handles Ctrl-C while a study runs. The process waits for requests in flight, which are billed; all other
//! work can be repeated without cost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cli::status;
use crate::cli::watch::{Signals, hand_over};
use crate::collect::client::stop::Stop;
use crate::disk;
use crate::error::Error;

/// How long to wait for requests in flight.
const GRACE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(50);

/// The running collections.
#[derive(Clone, Default)]
pub(in crate::cli) struct Interrupts {
    stops: Arc<Mutex<Vec<Arc<Stop>>>>,
}

impl Interrupts {
    /// Waits for a signal in a separate thread. After a signal, collections send no new request and wait for
    /// requests in flight; then the process ends with exit code 130.
    pub fn start() -> Self {
        let own = Self::default();
        let all = own.clone();
        // If no thread can be started, a signal ends the process at once.
        let wait = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Some(mut signals) = Signals::new() else { return };
                hand_over(&signals);
                signals.next().await;
                all.drain();
                tokio::select! {
                    () = signals.next() => all.with(|stops| stops.iter().for_each(|stop| stop.abort())),
                    () = all.ended() => {}
                }
            });
            status("surmise: interrupted; finished work is kept, and the same command continues from there");
            disk::exit(130);
        };
        std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop).unwrap_or_default();
        own
    }

    /// Adds a collection.
    pub fn add(&self, stop: Arc<Stop>) {
        self.with(|stops| stops.push(stop));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Arc<Stop>>) -> T) -> T {
        let mut stops = self.stops.lock().unwrap_or_else(PoisonError::into_inner);
        // A finished collection has dropped its own reference to `stop`.
        stops.retain(|stop| Arc::strong_count(stop) > 1);
        work(&mut stops)
    }

    fn drain(&self) {
        self.with(|stops| {
            if !stops.is_empty() {
                status("stopping: waiting for the requests in flight (interrupt again to abandon them)");
            }
            for stop in stops {
                stop.drain(Error::Interrupted { reason: "interrupted; answers are saved".into() });
            }
        });
    }

    /// Returns when no collection is running, or after [`GRACE`].
    async fn ended(&self) {
        let began = Instant::now();
        while self.with(|stops| !stops.is_empty()) && began.elapsed() < GRACE {
            tokio::time::sleep(TICK).await;
        }
    }
}
