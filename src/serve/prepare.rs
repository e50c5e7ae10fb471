//! Where requests are parsed, rendered and tokenized: on threads beside those that wait on sockets, a few at
//! a time. Long requests have a place of their own, so that short ones do not wait for them.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::request::{ApiError, ApiResult};
use crate::guard::guarded;

/// A request of more bytes is long.
const LONG: usize = 64 << 10;
/// Long requests that are prepared at once, and the fewest short ones.
const LONG_ONES: usize = 1;
const SHORT_ONES: usize = 2;

/// The places where requests are prepared.
#[derive(Clone)]
pub(super) struct Places {
    short: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Places {
    pub fn new() -> Self {
        // The other half of the threads decodes.
        let short = SHORT_ONES.max(rayon::current_num_threads() / 2);
        Self { short: Arc::new(Semaphore::new(short)), long: Arc::new(Semaphore::new(LONG_ONES)) }
    }

    /// Prepares a request of so many bytes.
    pub async fn prepare<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let place = if bytes > LONG { &self.long } else { &self.short };
        // The places are never closed.
        let place = place.clone().acquire_owned().await.map_err(|_| failed(&"the server stops"))?;
        // It panics where no thread can be started.
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
