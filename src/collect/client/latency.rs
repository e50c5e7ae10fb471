//! How long answers take, and when a request without one is given a second chance: a connection that fell
//! silent must not hold up the run for the whole time limit.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Answers before the slowest of them says anything about the others.
const FEWEST_ANSWERS: u64 = 5;
/// A request that takes this many times as long as the slowest answer counts as lost.
const FACTOR: u32 = 4;
/// The shortest time after which a request counts as lost: every server pauses now and then, and the second
/// request may be billed, too.
const SHORTEST: Duration = Duration::from_secs(10);
/// How often requests in flight are compared with the slowest answer.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// The answers of a run so far.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    answers: AtomicU64,
    slowest_us: AtomicU64,
}

impl Latency {
    /// Adds an answer.
    pub(super) fn add(&self, elapsed: Duration) {
        self.slowest_us.fetch_max(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.answers.fetch_add(1, Relaxed);
    }

    /// The time after which a request without an answer counts as lost; `None` while that is unknown.
    pub(super) fn limit(&self) -> Option<Duration> {
        let slowest = Duration::from_micros(self.slowest_us.load(Relaxed));
        (self.answers.load(Relaxed) >= FEWEST_ANSWERS).then(|| slowest.saturating_mul(FACTOR).max(SHORTEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_four_times_the_slowest_answer_and_never_short() {
        let latency = Latency::default();
        for _ in 0..4 {
            latency.add(Duration::from_millis(10));
            assert_eq!(latency.limit(), None);
        }
        latency.add(Duration::from_millis(20));
        assert_eq!(latency.limit(), Some(Duration::from_secs(10)));
        latency.add(Duration::from_secs(3));
        assert_eq!(latency.limit(), Some(Duration::from_secs(12)));
    }
}
