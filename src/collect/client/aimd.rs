//! Implements the rule of the rate limiter: how many requests may be in flight, and when all requests pause.
//! The rule is additive increase, multiplicative decrease (Chiu and Jain 1989), with pauses that apply to all
//! requests.
//!
//! Rejections (429) lower the limit once per episode. An episode includes the rejections of all requests that
//! were in flight at its first rejection. An overloaded or unreachable server causes a pause for all
//! requests, longer each time, but does not lower the limit. No wait exceeds the maximum, regardless of what
//! a server asks for.

use std::time::Duration;

use tokio::time::Instant;

use super::retry_policy::Backoff;
use crate::provider::RateLimitInfo;

/// Limit of requests in flight before the first answer. It is low because the server may refuse the key.
const UNTRIED_LIMIT: f64 = 2.0;
/// Limit of requests in flight after the first answer. Until the first decrease, every answer raises the
/// limit by one.
const FIRST_LIMIT: f64 = 8.0;
/// Factor of the multiplicative decrease.
const DECREASE: f64 = 0.5;
/// Ratio of the wait for an overloaded server to the wait after a rejection.
const OVERLOAD_FACTOR: f64 = 4.0;
/// Maximum pause due to the headers of a successful answer. The headers may be wrong, and must not stall the
/// run.
const LONGEST_PROACTIVE_WAIT_S: f64 = 10.0;

/// The reason for a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleReason {
    /// The server rejected a request (429).
    Rejected,
    /// The server is overloaded (503, 529).
    Overloaded,
    /// No connection could be made.
    Unreachable,
}

/// The state of the rule. The caller passes the time and the random numbers.
#[derive(Debug)]
pub(super) struct AimdRule {
    backoff: Backoff,
    most: f64,
    pub(super) limit: f64,
    pub(super) in_flight: usize,
    /// Number of episodes so far. A request belongs to the episode in which it began.
    episode: u64,
    /// Number of consecutive episodes without an answer in between.
    streak: u32,
    has_decreased: bool,
    pub(super) paused_until: Option<Instant>,
    pub(super) last_answer: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Go(u64),
    WaitUntil(Instant),
    WaitForOther,
}

impl AimdRule {
    /// A rule that allows at most `most` requests at a time.
    pub(super) fn new(most: usize, backoff: Backoff) -> Self {
        let most = most.max(1) as f64;
        Self {
            backoff,
            most,
            limit: UNTRIED_LIMIT.min(most),
            in_flight: 0,
            episode: 0,
            streak: 0,
            has_decreased: false,
            paused_until: None,
            last_answer: None,
        }
    }

    /// Decides whether a request may start now.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        match self.paused_until {
            Some(until) if now < until => Admission::WaitUntil(until),
            _ if self.in_flight as f64 >= self.limit.floor() => Admission::WaitForOther,
            _ => {
                self.in_flight += 1;
                Admission::Go(self.episode)
            }
        }
    }

    pub(super) fn answered(&mut self, now: Instant, info: &RateLimitInfo) {
        if self.last_answer.is_none() && !self.has_decreased {
            self.limit = FIRST_LIMIT.min(self.most);
        }
        self.last_answer = Some(now);
        self.streak = 0;
        self.limit = (self.limit + if self.has_decreased { 1.0 / self.limit } else { 1.0 }).min(self.most);
        let windows =
            [(info.remaining_requests, info.reset_requests_s), (info.remaining_tokens, info.reset_tokens_s)];
        for (remaining, reset_s) in windows {
            if let (Some(remaining), Some(reset_s)) = (remaining, reset_s)
                && remaining < 1.0
            {
                self.pause(now, reset_s.min(LONGEST_PROACTIVE_WAIT_S).min(self.backoff.longest_s));
            }
        }
    }

    /// Records a throttled request. `jitter` is from 0 to 1. Returns the length of the pause in seconds, if a
    /// new pause begins.
    pub(super) fn throttled(
        &mut self,
        now: Instant,
        episode: u64,
        reason: ThrottleReason,
        server_wait_s: Option<f64>,
        jitter: f64,
    ) -> Option<f64> {
        let is_first = episode == self.episode;
        if is_first {
            self.episode += 1;
            self.streak += 1;
            if reason == ThrottleReason::Rejected {
                self.limit = (self.limit * DECREASE).max(1.0);
                self.has_decreased = true;
            }
        }
        let factor = if reason == ThrottleReason::Overloaded { OVERLOAD_FACTOR } else { 1.0 };
        // Up to half of the wait by the backoff rule is random (jitter). A wait that the server asks for is
        // kept in full, and jitter is added.
        let own_s =
            self.backoff.first_s * factor * 2.0_f64.powi(self.streak.saturating_sub(1).min(30) as i32);
        let own_s = own_s.min(self.backoff.longest_s) * (0.5 + 0.5 * jitter);
        let wait_s = match server_wait_s {
            Some(server_wait_s) => (server_wait_s + 0.1 * jitter * server_wait_s.min(1.0)).max(own_s),
            None if is_first => own_s,
            // This rejection belongs to the current episode and specifies no wait, so the current pause
            // suffices.
            None => return None,
        };
        let wait_s = wait_s.min(self.backoff.longest_s);
        self.pause(now, wait_s);
        is_first.then_some(wait_s)
    }

    fn pause(&mut self, now: Instant, wait_s: f64) {
        let until = now + Duration::from_secs_f64(wait_s.max(0.0));
        self.paused_until = Some(self.paused_until.map_or(until, |other| other.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(most: f64) -> AimdRule {
        AimdRule::new(most as usize, Backoff { first_s: 1.0, longest_s: 120.0 })
    }

    fn admitted(rule: &mut AimdRule, now: Instant) -> u64 {
        match rule.admit(now) {
            Admission::Go(episode) => episode,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_limit_grows_by_one_per_answer_until_the_first_decrease_and_by_one_per_round_after_it() {
        let (mut rule, now) = (rule(64.0), Instant::now());
        for _ in 0..100 {
            rule.answered(now, &RateLimitInfo::default());
        }
        assert_eq!(rule.limit, 64.0);
        rule.throttled(now, 0, ThrottleReason::Rejected, None, 1.0);
        assert_eq!(rule.limit, 32.0);
        for _ in 0..33 {
            rule.answered(now, &RateLimitInfo::default());
        }
        assert!((32.9..33.1).contains(&rule.limit), "{}", rule.limit);
    }

    #[test]
    fn an_episode_lowers_the_limit_once_however_many_were_in_flight() {
        let (mut rule, now) = (rule(64.0), Instant::now());
        (0..100).for_each(|_| rule.answered(now, &RateLimitInfo::default()));
        let episodes: Vec<_> = (0..64).map(|_| admitted(&mut rule, now)).collect();
        let pauses: Vec<_> = episodes
            .iter()
            .filter_map(|e| rule.throttled(now, *e, ThrottleReason::Rejected, Some(3.0), 0.0))
            .collect();
        assert_eq!((rule.limit, pauses), (32.0, vec![3.0]));
        // A later rejection can only extend the same pause.
        assert_eq!(rule.throttled(now, 0, ThrottleReason::Rejected, Some(9.0), 0.0), None);
        assert_eq!(rule.paused_until, Some(now + Duration::from_secs(9)));
        assert_eq!(rule.admit(now), Admission::WaitUntil(now + Duration::from_secs(9)));
    }

    #[test]
    fn waits_double_without_an_answer_between_and_never_exceed_the_maximum() {
        let (mut rule, now) = (rule(4.0), Instant::now());
        let mut waited = vec![];
        for episode in 0..12 {
            waited.push(rule.throttled(now, episode, ThrottleReason::Unreachable, None, 1.0).unwrap());
        }
        assert_eq!(waited[..9], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0]);
        assert_eq!(rule.limit, 2.0, "only a 429 lowers the limit");
        rule.answered(now, &RateLimitInfo::default());
        assert_eq!(rule.throttled(now, 12, ThrottleReason::Overloaded, None, 1.0), Some(4.0));
        // A wait of a day is limited to the maximum.
        assert_eq!(rule.throttled(now, 13, ThrottleReason::Rejected, Some(86400.0), 1.0), Some(120.0));
        assert_eq!(
            rule.throttled(now, 14, ThrottleReason::Rejected, Some(0.0), 0.0),
            Some(2.0),
            "our own wait applies if it is longer"
        );
    }

    #[test]
    fn headers_of_an_exhausted_window_cause_a_bounded_pause() {
        let (mut rule, now) = (rule(4.0), Instant::now());
        let info = RateLimitInfo {
            remaining_requests: Some(0.0),
            reset_requests_s: Some(3600.0),
            ..RateLimitInfo::default()
        };
        rule.answered(now, &info);
        assert_eq!(rule.paused_until, Some(now + Duration::from_secs(10)));
        // Without a reset time there is no pause.
        let (mut rule, info) =
            (self::rule(4.0), RateLimitInfo { remaining_tokens: Some(0.0), ..RateLimitInfo::default() });
        rule.answered(now, &info);
        assert_eq!(rule.paused_until, None);
    }
}
