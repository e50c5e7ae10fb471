//! Limits the rate of all requests of a run: grants permits by the rule in [`super::aimd`].

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::aimd::{Admission, AimdRule, ThrottleReason};
use super::retry_policy::Backoff;
use crate::provider::RateLimitInfo;

/// Seconds until all exhausted rate-limit windows have ended.
fn reset_s(info: &RateLimitInfo) -> Option<f64> {
    let windows =
        [(info.remaining_requests, info.reset_requests_s), (info.remaining_tokens, info.reset_tokens_s)];
    let ends = windows.into_iter().filter(|(remaining, _)| remaining.is_some_and(|left| left < 1.0));
    ends.filter_map(|(_, reset_s)| reset_s).reduce(f64::max)
}

/// The rate limiter that all requests of a run share.
#[derive(Debug)]
pub struct Limiter {
    rule: Mutex<AimdRule>,
    changed: Notify,
    began: Instant,
}

/// A permit to send one request. Dropping it returns it to the limiter.
#[derive(Debug)]
pub struct Permit<'a> {
    limiter: &'a Limiter,
    episode: u64,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.limiter.with(|rule| rule.in_flight -= 1);
        self.limiter.changed.notify_one();
    }
}

impl Limiter {
    /// A limiter that allows at most `most` requests at a time.
    pub fn new(most: usize, backoff: Backoff) -> Self {
        Self { rule: Mutex::new(AimdRule::new(most, backoff)), changed: Notify::new(), began: Instant::now() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut AimdRule) -> T) -> T {
        // The rule contains only numbers, which stay valid after a panic.
        change(&mut self.rule.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Waits for a permit to send.
    pub async fn acquire(&self) -> Permit<'_> {
        loop {
            let changed = self.changed.notified();
            match self.with(|rule| rule.admit(Instant::now())) {
                Admission::Go(episode) => return Permit { limiter: self, episode },
                Admission::WaitUntil(until) => tokio::time::sleep_until(until).await,
                Admission::WaitForOther => changed.await,
            }
        }
    }

    /// Waits for the end of a pause that began after the request got its permit.
    pub async fn wait_out_pause(&self) {
        while let Some(until) = self.paused_until() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// The end of the current pause.
    pub fn paused_until(&self) -> Option<Instant> {
        self.with(|rule| rule.paused_until).filter(|until| Instant::now() < *until)
    }

    /// Records an answer with its rate-limit headers.
    pub fn answered(&self, info: &RateLimitInfo) {
        self.with(|rule| rule.answered(Instant::now(), info));
        // The limit may have grown by one.
        self.changed.notify_one();
    }

    /// Records that the server throttled a request. Returns the length of the pause in seconds, if a new
    /// pause begins. `jitter` is from 0 to 1.
    pub fn throttled(
        &self,
        permit: &Permit,
        reason: ThrottleReason,
        info: &RateLimitInfo,
        jitter: f64,
    ) -> Option<f64> {
        let server_wait_s = info.retry_after_s.or_else(|| reset_s(info));
        self.with(|rule| rule.throttled(Instant::now(), permit.episode, reason, server_wait_s, jitter))
    }

    /// The time since the last answer, or since the start, and whether there was an answer.
    pub fn idle_time(&self) -> (Duration, bool) {
        let last = self.with(|rule| rule.last_answer);
        (last.unwrap_or(self.began).elapsed(), last.is_some())
    }

    /// Current limit of requests in flight.
    pub fn limit(&self) -> usize {
        self.with(|rule| rule.limit) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dropped_permit_wakes_a_waiting_request() {
        let limiter = Limiter::new(1, Backoff { first_s: 1.0, longest_s: 120.0 });
        let first = limiter.acquire().await;
        let (second, ()) = tokio::join!(limiter.acquire(), async { drop(first) });
        let began = Instant::now();
        limiter.throttled(
            &second,
            ThrottleReason::Rejected,
            &RateLimitInfo { retry_after_s: Some(5.0), ..RateLimitInfo::default() },
            0.0,
        );
        drop(second);
        drop(limiter.acquire().await);
        assert!(began.elapsed() >= Duration::from_secs(5));
    }
}
