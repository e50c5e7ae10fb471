//! Parses, renders and tokenizes requests, a few at a time. Separate threads do this, so that the threads for
//! sockets stay free. A request waits only for requests of similar length, so that short requests do not wait
//! for long ones. Each model has its own places for rendering and for tokenizing, so that no request waits
//! for the slow chat template or the slow tokenizer of another model.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::request::{ApiError, ApiResult};
use crate::guard::guarded;

/// Maximum size in bytes of a small, a short and a middle request. Larger requests are long.
const SMALL: usize = 4 << 10;
pub(super) const SHORT: usize = 64 << 10;
pub(super) const MIDDLE: usize = 256 << 10;
/// Minimum number of places for small requests.
const SMALL_ONES: usize = 2;

/// Runs tasks of one kind on separate threads. At most one task per place runs at the same time.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    fn of(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Waits for a place, then runs `work` on a thread of its own.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        // The semaphores are never closed.
        let place = self.0.clone().acquire_owned().await.map_err(|_| failed(&"the server is stopping"))?;
        // `spawn_blocking` panics if no thread can be started.
        let started = guarded(|| {
            spawn_blocking(move || {
                let _until_done = place;
                guarded(work)
            })
        });
        let ended = started.map_err(|error| failed(&error))?.await.map_err(|error| failed(&error))?;
        ended.map_err(|error| failed(&error))?
    }
}

/// The places for one step of the preparation: parsing, rendering or tokenizing.
#[derive(Clone)]
pub(super) struct Preparation {
    small: Places,
    short: Places,
    middle: Places,
    long: Places,
}

impl Preparation {
    pub fn new() -> Self {
        // Leave the other half of the threads to decoding.
        let small = Places::of(SMALL_ONES.max(rayon::current_num_threads() / 2));
        Self { small, short: Places::of(1), middle: Places::of(1), long: Places::of(1) }
    }

    /// The places for a request of `bytes` bytes.
    pub fn places(&self, bytes: usize) -> &Places {
        if bytes <= SMALL {
            &self.small
        } else if bytes <= SHORT {
            &self.short
        } else if bytes <= MIDDLE {
            &self.middle
        } else {
            &self.long
        }
    }
}

fn failed(reason: &impl ToString) -> ApiError {
    ApiError::failed(reason.to_string())
}
