//! Parses, renders and tokenizes requests on threads other than those that handle sockets, a few at a time.
//! Long requests have their own place, so that short requests do not wait for them.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::request::{ApiError, ApiResult};
use crate::guard::guarded;

/// A request with more bytes than this is long.
const LONG: usize = 64 << 10;
/// Number of long requests that are prepared at once, and least number of short ones.
const LONG_ONES: usize = 1;
const SHORT_ONES: usize = 2;

/// The limits on requests that are prepared at the same time.
#[derive(Clone)]
pub(super) struct Places {
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Places {
    pub fn new() -> Self {
        // The other half of the threads is for decoding.
        let short = SHORT_ONES.max(rayon::current_num_threads() / 2);
        Self { short: Arc::new(Semaphore::new(short)), long: Arc::new(Semaphore::new(LONG_ONES)) }
    }

    /// Prepares a request of `bytes` bytes.
    pub async fn prepare<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let place = if bytes > LONG { &self.long } else { &self.short };
        // The semaphores are never closed.
        let place = place.clone().acquire_owned().await.map_err(|_| failed(&"the server is stopping"))?;
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

fn failed(reason: &impl ToString) -> ApiError {
    ApiError { status: 500, kind: "server_error", ..ApiError::invalid("", reason.to_string()) }
}
