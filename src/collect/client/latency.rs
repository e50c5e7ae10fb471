//! Measures how long answers take, and decides when a request counts as lost and is retried. A silent
//! connection must not delay the run for the whole timeout, and a long answer must not be requested twice.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::provider::{Answer, Outcome};

/// Minimum number of answers before the slowest of them is representative.
const FEWEST_ANSWERS: u64 = 5;
/// A request may be lost if it takes longer than this factor times the duration of the slowest answer.
const FACTOR: u32 = 4;
/// Minimum time after which a request counts as lost. Any server may pause for a while, and a retry may be
/// billed, too.
const SHORTEST: Duration = Duration::from_secs(10);
/// Expected pace of the slowest provider, in seconds per token. The pace of short answers may be slower,
/// because most of their time passes before the first token.
const SLOWEST_TOKEN_S: f64 = 0.05;
/// Interval at which requests in flight are compared with the slowest answer.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// A request to a server on this machine that takes longer than this causes a message.
pub(super) const SLOW: Duration = Duration::from_secs(60);
/// Assumed bytes of text per token, if a server does not count tokens.
const BYTES_PER_TOKEN: usize = 4;

/// Durations and numbers of tokens of the answers of a run so far.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    answers: AtomicU64,
    slowest_us: AtomicU64,
    total_us: AtomicU64,
    tokens: AtomicU64,
}

impl Latency {
    /// Adds an answer with this many tokens.
    pub(super) fn add(&self, elapsed: Duration, tokens: u64) {
        let us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.slowest_us.fetch_max(us, Relaxed);
        self.total_us.fetch_add(us, Relaxed);
        self.tokens.fetch_add(tokens.max(1), Relaxed);
        self.answers.fetch_add(1, Relaxed);
    }

    /// The time after which a request for at most `max_tokens` tokens counts as lost; `None` until enough
    /// answers have arrived.
    ///
    /// The limit is four times the duration of the slowest answer, but at least the time that `max_tokens`
    /// tokens take at the mean time per token. The mean is capped at [`SLOWEST_TOKEN_S`], except for a local
    /// server, because a local connection does not break silently.
    pub(super) fn limit(&self, max_tokens: u64, is_local: bool) -> Option<Duration> {
        if self.answers.load(Relaxed) < FEWEST_ANSWERS {
            return None;
        }
        let slowest = Duration::from_micros(self.slowest_us.load(Relaxed));
        let pace_s = self.total_us.load(Relaxed) as f64 / 1e6 / self.tokens.load(Relaxed) as f64;
        let pace_s = if is_local { pace_s } else { pace_s.min(SLOWEST_TOKEN_S) };
        let longest = Duration::try_from_secs_f64(pace_s * max_tokens as f64).unwrap_or(Duration::MAX);
        Some(slowest.saturating_mul(FACTOR).max(SHORTEST).max(longest))
    }
}

/// The number of tokens of an answer, estimated from the text if the server does not count tokens.
pub(super) fn tokens(answer: &Answer) -> u64 {
    let text = match &answer.outcome {
        Outcome::Answered { text } | Outcome::Refused { text } | Outcome::Truncated { text } => text,
        _ => "",
    };
    let counted = answer.usage.and_then(|usage| usage.completion_tokens);
    counted.unwrap_or(text.len().div_ceil(BYTES_PER_TOKEN) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(f64) -> Option<Duration> = |seconds| Some(Duration::from_secs_f64(seconds));

    #[test]
    fn the_limit_is_four_times_the_slowest_answer_and_never_short() {
        let latency = Latency::default();
        for _ in 0..4 {
            latency.add(Duration::from_millis(10), 2);
            assert_eq!(latency.limit(2048, true), None);
        }
        latency.add(Duration::from_millis(20), 2);
        assert_eq!(latency.limit(16, true), S(10.0));
        latency.add(Duration::from_secs(3), 2);
        assert_eq!(latency.limit(16, true), S(12.0));
    }

    #[test]
    fn a_long_answer_has_the_time_that_its_tokens_take() {
        let latency = Latency::default();
        // The answers have ten tokens per second.
        (0..5).for_each(|_| latency.add(Duration::from_millis(500), 5));
        assert_eq!(latency.limit(64, true), S(10.0));
        assert_eq!(latency.limit(2048, true), S(204.8));
        // For a provider, at least twenty tokens a second are assumed.
        assert_eq!(latency.limit(2048, false), S(102.4));
        // An extreme number of tokens does not panic.
        assert!(latency.limit(u64::MAX, true) > S(1e9));
    }

    #[test]
    fn tokens_are_those_of_the_server_or_estimated_from_the_text() {
        let mut answer = Answer::of(Outcome::Answered { text: "Paris it is".into() });
        assert_eq!(tokens(&answer), 3);
        answer.usage = Some(crate::provider::Usage { completion_tokens: Some(40), ..Default::default() });
        assert_eq!(tokens(&answer), 40);
    }
}
