//! Reports the progress of a run: counters for a display, and status messages.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use tokio::time;

/// Counters of a run in progress.
pub struct Progress {
    /// Number of questions to ask in this run.
    pub total: AtomicU64,
    /// Number of questions of this run that have an outcome.
    pub done: AtomicU64,
    /// Number of questions of this run that failed.
    pub failed: AtomicU64,
    /// Number of requests that were sent.
    pub sent: AtomicU64,
    /// Number of requests that were sent because an earlier request for the same question failed.
    pub retries: AtomicU64,
    /// Cost so far over all runs, in millionths of a dollar.
    pub spent_micro_usd: AtomicU64,
    /// Number of requests that may be in flight at once.
    pub limit: AtomicU64,
    batches: Mutex<Option<String>>,
    paused_until: Mutex<Option<time::Instant>>,
    began: Instant,
    say: Box<dyn Fn(&str) + Send + Sync>,
}

impl Progress {
    /// Creates counters that are all 0. Each status message is passed to `say`; the messages contain no
    /// secrets.
    pub fn new(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self {
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            spent_micro_usd: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            batches: Mutex::new(None),
            paused_until: Mutex::new(None),
            began: Instant::now(),
            say: Box::new(say),
        }
    }

    /// Reports a status message.
    pub fn say(&self, line: &str) {
        (self.say)(line);
    }

    /// Sets the state of the open batches. While it is set, [`Progress::line`] returns it instead of the
    /// counters.
    pub fn wait_for(&self, batches: Option<String>) {
        *self.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = batches;
    }

    /// Sets the end of a pause; `None` means that there is no pause.
    pub fn pause(&self, until: Option<time::Instant>) {
        *self.paused_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = until;
    }

    /// The counters as one line of text.
    pub fn line(&self) -> String {
        if let Some(batches) = &*self.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            return batches.clone();
        }
        let load = |number: &AtomicU64| number.load(Relaxed);
        let rate = load(&self.done) as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
        let mut line = format!("{rate:.1} questions/s, at most {} requests in flight", load(&self.limit));
        let mut add = |number: u64, what: &str| {
            if number > 0 {
                line.push_str(&format!(", {number} {what}"));
            }
        };
        add(load(&self.failed), "failed");
        add(load(&self.retries), "retried");
        if load(&self.spent_micro_usd) > 0 {
            line.push_str(&format!(", {:.4} USD", load(&self.spent_micro_usd) as f64 / 1e6));
        }
        let paused = *self.paused_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(wait) = paused.and_then(|until| until.checked_duration_since(time::Instant::now())) {
            line.push_str(&format!(", paused for another {:.0} s", wait.as_secs_f64().ceil()));
        }
        line
    }
}
