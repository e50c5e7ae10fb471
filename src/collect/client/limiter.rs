//! How many requests run at a time, and when none may start: additive increase, multiplicative decrease (Chiu
//! and Jain 1989), and one pause for all.
//!
//! A server that turns requests away (429) is heard once per episode: requests that were under way when it
//! first did so tell nothing new. An overloaded or unreachable server makes everybody wait, for longer each
//! time, without a cut. Whatever a server says, no wait is longer than the longest allowed.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::provider::RateLimitInfo;

/// Requests at a time in the beginning; until the first cut every answer adds one.
const FIRST_LIMIT: f64 = 8.0;
/// What is left of the limit after a cut.
const CUT: f64 = 0.5;
/// An overloaded server is left alone this many times longer than one that only counts requests.
const OVERLOAD: f64 = 4.0;
/// What an answer that came may make others wait: its headers may be wrong, and then must not bring the run
/// to a stand.
const LONGEST_PROACTIVE_WAIT_S: f64 = 10.0;

/// Why nobody may ask for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleReason {
    /// 429
    Rejected,
    /// 503, 529
    Overloaded,
    /// No connection.
    Unreachable,
}

/// Times, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first wait where the server names none; it doubles.
    pub first_s: f64,
    /// The longest, whatever the server says.
    pub longest_s: f64,
}

/// The rule by itself: no clock, no random numbers.
#[derive(Debug)]
struct AimdRule {
    waits: Backoff,
    most: f64,
    limit: f64,
    in_flight: usize,
    /// Episodes so far; a request belongs to the one in which it began.
    episode: u64,
    /// Episodes without an answer between them.
    streak: u32,
    is_cut: bool,
    paused_until: Option<Instant>,
    last_answer: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum Admission {
    Go(u64),
    WaitUntil(Instant),
    WaitForOther,
}

impl AimdRule {
    fn admit(&mut self, now: Instant) -> Admission {
        match self.paused_until {
            Some(until) if now < until => Admission::WaitUntil(until),
            _ if self.in_flight as f64 >= self.limit.floor() => Admission::WaitForOther,
            _ => {
                self.in_flight += 1;
                Admission::Go(self.episode)
            }
        }
    }

    fn answered(&mut self, now: Instant, hint: &RateLimitInfo) {
        self.last_answer = Some(now);
        self.streak = 0;
        self.limit = (self.limit + if self.is_cut { 1.0 / self.limit } else { 1.0 }).min(self.most);
        let windows =
            [(hint.remaining_requests, hint.reset_requests_s), (hint.remaining_tokens, hint.reset_tokens_s)];
        for (remaining, reset_s) in windows {
            if let (Some(remaining), Some(reset_s)) = (remaining, reset_s)
                && remaining < 1.0
            {
                self.pause(now, reset_s.min(LONGEST_PROACTIVE_WAIT_S).min(self.waits.longest_s));
            }
        }
    }

    /// `jitter` is from 0 to 1. Gives back the length of the pause that begins here, if one does.
    fn troubled(
        &mut self,
        now: Instant,
        episode: u64,
        trouble: ThrottleReason,
        hint_s: Option<f64>,
        jitter: f64,
    ) -> Option<f64> {
        let is_first = episode == self.episode;
        if is_first {
            self.episode += 1;
            self.streak += 1;
            if trouble == ThrottleReason::Rejected {
                self.limit = (self.limit * CUT).max(1.0);
                self.is_cut = true;
            }
        }
        let factor = if trouble == ThrottleReason::Overloaded { OVERLOAD } else { 1.0 };
        // Half of the own wait is jitter; a wait the server asked for is kept whole, and a little more.
        let own_s = self.waits.first_s * factor * 2.0_f64.powi(self.streak.saturating_sub(1).min(30) as i32);
        let own_s = own_s.min(self.waits.longest_s) * (0.5 + 0.5 * jitter);
        let wait_s = match hint_s {
            Some(hint_s) => (hint_s + 0.1 * jitter * hint_s.min(1.0)).max(own_s),
            None if is_first => own_s,
            // Later news of the same episode, without a wait of its own.
            None => return None,
        };
        let wait_s = wait_s.min(self.waits.longest_s);
        self.pause(now, wait_s);
        is_first.then_some(wait_s)
    }

    fn pause(&mut self, now: Instant, wait_s: f64) {
        let until = now + Duration::from_secs_f64(wait_s.max(0.0));
        self.paused_until = Some(self.paused_until.map_or(until, |other| other.max(until)));
    }
}

/// When the windows end of which nothing is left, seconds from now.
fn reset_s(hint: &RateLimitInfo) -> Option<f64> {
    let windows =
        [(hint.remaining_requests, hint.reset_requests_s), (hint.remaining_tokens, hint.reset_tokens_s)];
    let ends = windows.into_iter().filter(|(remaining, _)| remaining.is_some_and(|left| left < 1.0));
    ends.filter_map(|(_, reset_s)| reset_s).reduce(f64::max)
}

/// Shared by all requests of a run.
#[derive(Debug)]
pub struct Limiter {
    rule: Mutex<AimdRule>,
    changed: Notify,
    began: Instant,
}

/// Leave to send one request; it is given back when dropped.
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
    /// At most `most` requests at a time.
    pub fn new(most: usize, waits: Backoff) -> Self {
        let most = most.max(1) as f64;
        let rule = AimdRule {
            waits,
            most,
            limit: FIRST_LIMIT.min(most),
            in_flight: 0,
            episode: 0,
            streak: 0,
            is_cut: false,
            paused_until: None,
            last_answer: None,
        };
        Self { rule: Mutex::new(rule), changed: Notify::new(), began: Instant::now() }
    }

    fn with<T>(&self, change: impl FnOnce(&mut AimdRule) -> T) -> T {
        // A panic while it was held would leave numbers, all of them valid.
        change(&mut self.rule.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Waits for leave to send.
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

    /// Waits until no pause holds; for a request that had its permit before the pause began.
    pub async fn calm(&self) {
        while let Some(until) = self.paused_until() {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Until when nobody may ask.
    pub fn paused_until(&self) -> Option<Instant> {
        self.with(|rule| rule.paused_until).filter(|until| Instant::now() < *until)
    }

    /// An answer came, with what its headers say of the limit.
    pub fn answered(&self, hint: &RateLimitInfo) {
        self.with(|rule| rule.answered(Instant::now(), hint));
        // The limit may have grown by one.
        self.changed.notify_one();
    }

    /// The server is in trouble. Gives back the length of the pause that begins here, if one does.
    pub fn troubled(
        &self,
        permit: &Permit,
        trouble: ThrottleReason,
        hint: &RateLimitInfo,
        jitter: f64,
    ) -> Option<f64> {
        let hint_s = hint.retry_after_s.or_else(|| reset_s(hint));
        self.with(|rule| rule.troubled(Instant::now(), permit.episode, trouble, hint_s, jitter))
    }

    /// How long nothing has been answered, and whether anything ever was.
    pub fn silence(&self) -> (Duration, bool) {
        let last = self.with(|rule| rule.last_answer);
        (last.unwrap_or(self.began).elapsed(), last.is_some())
    }

    /// Requests at a time, now.
    pub fn limit(&self) -> usize {
        self.with(|rule| rule.limit) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(most: f64) -> AimdRule {
        Limiter::new(most as usize, Backoff { first_s: 1.0, longest_s: 120.0 }).rule.into_inner().unwrap()
    }

    fn admitted(rule: &mut AimdRule, now: Instant) -> u64 {
        match rule.admit(now) {
            Admission::Go(episode) => episode,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_limit_grows_by_one_per_answer_until_the_first_cut_and_by_one_per_round_after_it() {
        let (mut rule, now) = (rule(64.0), Instant::now());
        for _ in 0..100 {
            rule.answered(now, &RateLimitInfo::default());
        }
        assert_eq!(rule.limit, 64.0);
        rule.troubled(now, 0, ThrottleReason::Rejected, None, 1.0);
        assert_eq!(rule.limit, 32.0);
        for _ in 0..33 {
            rule.answered(now, &RateLimitInfo::default());
        }
        assert!((32.9..33.1).contains(&rule.limit), "{}", rule.limit);
    }

    #[test]
    fn one_episode_cuts_once_however_many_were_under_way() {
        let (mut rule, now) = (rule(64.0), Instant::now());
        (0..100).for_each(|_| rule.answered(now, &RateLimitInfo::default()));
        let episodes: Vec<_> = (0..64).map(|_| admitted(&mut rule, now)).collect();
        let pauses: Vec<_> = episodes
            .iter()
            .filter_map(|e| rule.troubled(now, *e, ThrottleReason::Rejected, Some(3.0), 0.0))
            .collect();
        assert_eq!((rule.limit, pauses), (32.0, vec![3.0]));
        // Later news may only make the same pause longer.
        assert_eq!(rule.troubled(now, 0, ThrottleReason::Rejected, Some(9.0), 0.0), None);
        assert_eq!(rule.paused_until, Some(now + Duration::from_secs(9)));
        assert_eq!(rule.admit(now), Admission::WaitUntil(now + Duration::from_secs(9)));
    }

    #[test]
    fn waits_double_without_an_answer_between_and_never_pass_the_longest() {
        let (mut rule, now) = (rule(4.0), Instant::now());
        let mut waited = vec![];
        for episode in 0..12 {
            waited.push(rule.troubled(now, episode, ThrottleReason::Unreachable, None, 1.0).unwrap());
        }
        assert_eq!(waited[..9], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0]);
        assert_eq!(rule.limit, 4.0, "only a 429 cuts");
        rule.answered(now, &RateLimitInfo::default());
        assert_eq!(rule.troubled(now, 12, ThrottleReason::Overloaded, None, 1.0), Some(4.0));
        // A day is not slept.
        assert_eq!(rule.troubled(now, 13, ThrottleReason::Rejected, Some(86400.0), 1.0), Some(120.0));
        assert_eq!(
            rule.troubled(now, 14, ThrottleReason::Rejected, Some(0.0), 0.0),
            Some(2.0),
            "own wait, where it is longer"
        );
    }

    #[test]
    fn headers_that_say_nothing_is_left_slow_down_and_no_more() {
        let (mut rule, now) = (rule(4.0), Instant::now());
        let hint = RateLimitInfo {
            remaining_requests: Some(0.0),
            reset_requests_s: Some(3600.0),
            ..RateLimitInfo::default()
        };
        rule.answered(now, &hint);
        assert_eq!(rule.paused_until, Some(now + Duration::from_secs(10)));
        // Without a reset there is nothing to wait for.
        let (mut rule, hint) =
            (self::rule(4.0), RateLimitInfo { remaining_tokens: Some(0.0), ..RateLimitInfo::default() });
        rule.answered(now, &hint);
        assert_eq!(rule.paused_until, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_is_dropped_wakes_one_who_waits() {
        let limiter = Limiter::new(1, Backoff { first_s: 1.0, longest_s: 120.0 });
        let first = limiter.acquire().await;
        let (second, ()) = tokio::join!(limiter.acquire(), async { drop(first) });
        let began = Instant::now();
        limiter.troubled(
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
