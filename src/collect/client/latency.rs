//! How long answers take, and when a request without one is given a second chance: a connection that fell
//! silent must not hold up the run for the whole time limit, and an answer that is long must not be asked for
//! twice.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::provider::{Answer, Outcome};

/// Answers before the slowest of them says anything about the others.
const FEWEST_ANSWERS: u64 = 5;
/// A request that takes this many times as long as the slowest answer may be lost.
const FACTOR: u32 = 4;
/// The shortest time after which a request counts as lost: every server pauses now and then, and the second
/// request may be billed, too.
const SHORTEST: Duration = Duration::from_secs(10);
/// The slowest generation that is expected of a provider, in seconds per token: short answers say little
/// about it, because most of their time is spent before the first token.
const SLOWEST_TOKEN_S: f64 = 0.05;
/// How often requests in flight are compared with the slowest answer.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// A request to a server on this machine that takes longer deserves a word.
pub(super) const SLOW: Duration = Duration::from_secs(60);
/// Bytes of text per token, where a server does not count tokens.
const BYTES_PER_TOKEN: usize = 4;

/// The answers of a run so far.
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

    /// The time after which a request for at most so many tokens counts as lost; `None` while that is
    /// unknown.
    ///
    /// It is four times that of the slowest answer, and no less than an answer of so many tokens takes. A
    /// connection within this machine does not fall silent by itself, so that the pace of its server counts,
    /// however slow it is.
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

/// The tokens of an answer, by its text where the server does not count them.
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
        // Ten tokens a second.
        (0..5).for_each(|_| latency.add(Duration::from_millis(500), 5));
        assert_eq!(latency.limit(64, true), S(10.0));
        assert_eq!(latency.limit(2048, true), S(204.8));
        // A provider is expected to generate twenty.
        assert_eq!(latency.limit(2048, false), S(102.4));
        // A limit without any bound is no panic.
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
