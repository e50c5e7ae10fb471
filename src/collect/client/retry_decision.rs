//! What an answer means for the run: for all who wait, for what the run is to find, and whether the same
//! question is asked again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use rand::Rng;

use super::breaker::MOST_ALIKE;
use super::http::DeliveryStatus;
use super::limiter::{Permit, ThrottleReason};
use super::worker::{PreparedQuestion, Worker};
use crate::collect::budget::pilot;
use crate::collect::budget::pilot::Pilot;
use crate::error::Error;
use crate::provider::{Answer, Failure, FailureClass, Outcome, RateLimitInfo};
use crate::seed;

/// More of them than this share means that the limit is wrong, not the answers.
const MOST_TRUNCATED: f64 = 0.05;

/// How long a server is waited for that was never reached.
const FIRST_CONTACT: Duration = Duration::from_secs(20);

/// What the answers of a run have in common, or not.
#[derive(Debug, Default)]
pub(crate) struct AnswerMonitor {
    snapshots: BTreeSet<String>,
    fingerprints: BTreeSet<String>,
    answers: u32,
    truncated: u32,
    pilot: Pilot,
}

/// What to do after an answer that is none.
pub(crate) enum RetryDecision {
    Again,
    AgainAfter(Duration),
    GiveUp,
}

impl Worker {
    /// What came says something about the server, for all who wait.
    pub(crate) fn tell_limiter(
        &self,
        ask: &PreparedQuestion,
        permit: &Permit,
        class: Option<&FailureClass>,
        was_sent: bool,
        hint: &RateLimitInfo,
    ) {
        let trouble = match class {
            Some(FailureClass::Rejected) => ThrottleReason::Rejected,
            Some(FailureClass::Overloaded) => ThrottleReason::Overloaded,
            Some(FailureClass::NotSent) if was_sent => ThrottleReason::Unreachable,
            Some(FailureClass::NotSent | FailureClass::Unknown) => return,
            _ => return self.limiter.answered(hint),
        };
        let jitter = seed::stream("collect", "jitter", u64::from(ask.attempts)).random();
        if let Some(wait_s) = self.limiter.troubled(permit, trouble, hint, jitter) {
            let what = match trouble {
                ThrottleReason::Rejected => "turns requests away",
                ThrottleReason::Overloaded => "is overloaded",
                ThrottleReason::Unreachable => "cannot be reached",
            };
            let asks = match hint.retry_after_s.filter(|hint_s| *hint_s > self.patience.waits.longest_s) {
                Some(hint_s) => format!(" (it asks for {hint_s:.0} s; no wait is longer than --max-wait-s)"),
                None => String::new(),
            };
            self.progress.pause(self.limiter.paused_until());
            self.progress.say(&format!("{} {what}; all wait {wait_s:.1} s{asks}", self.endpoint));
        }
        self.progress.limit.store(self.limiter.limit() as u64, Relaxed);
    }

    /// Keeps what the answers of a run have in common, and ends a run that cannot give what is wanted.
    pub(crate) fn note(&self, ask: &PreparedQuestion, answer: &Answer, elapsed_s: f64) {
        let mut seen: MutexGuard<AnswerMonitor> = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = &answer.model_snapshot {
            let is_new = seen.snapshots.insert(snapshot.clone());
            if is_new && seen.snapshots.len() == 2 {
                let names: Vec<_> = seen.snapshots.iter().map(String::as_str).collect();
                self.progress.say(&format!(
                    "{}: the model changed during the run, answers came from {}; scores.csv names all of \
                     them",
                    self.endpoint,
                    names.join(" and ")
                ));
            }
            if let Some(wanted) = self.patience.model_snapshot.as_ref().filter(|wanted| *wanted != snapshot) {
                let reason = format!("{snapshot} answers, and --require-model-snapshot asks for {wanted}");
                self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
            }
        }
        if let Some(fingerprint) = &answer.system_fingerprint
            && seen.fingerprints.insert(fingerprint.clone())
            && seen.fingerprints.len() == 2
        {
            self.progress.say(&format!(
                "{}: the system fingerprint changed during the run; answers may differ from it",
                self.endpoint
            ));
        }
        if ask.probe || matches!(answer.outcome, Outcome::Failed(_)) {
            return;
        }
        if seen.pilot.add(answer.usage.as_ref(), elapsed_s) {
            let forecast =
                seen.pilot.forecast(self.progress.total.load(Relaxed), self.limiter.limit(), &self.budget);
            forecast.iter().for_each(|line| self.progress.say(line));
        }
        seen.answers += 1;
        seen.truncated += u32::from(matches!(answer.outcome, Outcome::Truncated { .. }));
        if seen.answers == pilot::ANSWERS {
            self.judge_cuts(&seen);
        }
    }

    /// Counts the answers of earlier runs by their kinds, so that what ended one of them ends the next at
    /// once.
    pub(crate) fn recall(&self, answered: &BTreeMap<&str, u32>) {
        let mut seen: MutexGuard<AnswerMonitor> = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.answers += answered.values().sum::<u32>();
        seen.truncated += answered.get("truncated").copied().unwrap_or(0);
        if seen.answers >= pilot::ANSWERS {
            self.judge_cuts(&seen);
        }
    }

    /// Ends a run whose answers are cut.
    fn judge_cuts(&self, seen: &AnswerMonitor) {
        let is_much = f64::from(seen.truncated) > MOST_TRUNCATED * f64::from(seen.answers);
        if is_much && !self.patience.keep_truncated {
            let reason = format!(
                "{} of the first {} answers were cut at the limit of tokens; raise --max-tokens and take \
                 another folder (or --new-config), or keep them with --keep-truncated",
                seen.truncated, seen.answers
            );
            self.stop.drain(Error::Gaps { reason });
        }
    }

    /// What to do after a failure, by its class.
    pub(crate) fn next(
        &self,
        ask: &PreparedQuestion,
        failure: &Failure,
        fate: Option<DeliveryStatus>,
        hint: &RateLimitInfo,
        errors: &mut u32,
        unknowns: &mut u32,
    ) -> RetryDecision {
        let say = self.secrets.redact_text(&failure.message);
        let endpoint =
            |reason: String| Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None };
        let account = |reason: String| Error::Account { endpoint: self.endpoint.clone(), reason };
        if fate == Some(DeliveryStatus::Insecure) {
            let reason = format!(
                "the connection cannot be secured ({say}); check the URL, or name the server's authority \
                 with --ca-cert"
            );
            self.stop.drain(endpoint(reason));
            return RetryDecision::GiveUp;
        }
        let may_help = hint.should_retry != Some(false);
        match &failure.class {
            FailureClass::NotSent | FailureClass::Rejected | FailureClass::Overloaded if may_help => {
                let (silence, was_there) = self.limiter.silence();
                // A host that never was there is most likely a wrong URL.
                let is_new = failure.class == FailureClass::NotSent && !was_there;
                if silence
                    < if is_new { self.patience.silence.min(FIRST_CONTACT) } else { self.patience.silence }
                {
                    return RetryDecision::Again;
                }
                let reason = match failure.class {
                    FailureClass::NotSent => format!("cannot be reached ({say})"),
                    _ => format!("has turned every request away for {:.0} s ({say})", silence.as_secs_f64()),
                };
                self.stop.drain(endpoint(reason + "; run the same command again later"));
                return RetryDecision::GiveUp;
            }
            FailureClass::Unknown => {
                let (used, most) = match fate {
                    // The server said itself that it failed: most likely nothing is billed.
                    None => (errors, self.patience.retries),
                    Some(_) => (unknowns, self.patience.unknown_retries),
                };
                *used += 1;
                let n = *used;
                if n <= most && may_help && !self.trips(ask, failure) {
                    let jitter: f64 = seed::stream("collect", &ask.key.to_string(), n.into()).random();
                    let wait_s = self.patience.waits.first_s
                        * 2.0_f64.powi(n.min(30) as i32 - 1)
                        * (0.5 + 0.5 * jitter);
                    let wait_s =
                        wait_s.max(hint.retry_after_s.unwrap_or(0.0)).min(self.patience.waits.longest_s);
                    return RetryDecision::AgainAfter(Duration::from_secs_f64(wait_s));
                }
            }
            FailureClass::Quota => self.stop.drain(account(format!(
                "the account may ask no more ({say}); every answer so far is kept: run the same command \
                 again when it may"
            ))),
            FailureClass::Credentials => self.stop.drain(account(format!(
                "the key is refused ({say}); set {} to a key that may use this model",
                self.provider.key_variable()
            ))),
            FailureClass::NoModel => {
                self.stop
                    .drain(endpoint(format!("no such model or path ({say}); check --model and --base-url")));
            }
            FailureClass::Redirect { host } => self.stop.drain(endpoint(format!(
                "the server points to {}, and nothing is sent there; if that is where you want to ask, set \
                 --base-url yourself",
                self.secrets.redact_text(host)
            ))),
            // A probe hears of it first, and may adapt.
            FailureClass::Unsupported { .. } if ask.probe => {}
            FailureClass::Unsupported { param } => {
                let hint = if self.adapt { "leave it away" } else { "leave it away, or pass --adapt-params" };
                self.stop.drain(endpoint(format!("the model does not support `{param}` ({say}); {hint}")));
            }
            FailureClass::Invalid
            | FailureClass::NotSent
            | FailureClass::Rejected
            | FailureClass::Overloaded => {
                self.trips(ask, failure);
            }
        }
        RetryDecision::GiveUp
    }

    /// Ends the run if this answer is one of many that cannot be read, and for the same reason: each may be
    /// billed.
    pub(crate) fn weigh_unreadable(&self, ask: &PreparedQuestion, reason: &str) {
        if self.breaker.trips_unreadable(ask.key, reason) {
            let reason = format!(
                "{MOST_ALIKE} answers in a row cannot be read, in the same way ({}); check --base-url and \
                 --provider, look at them in journal.jsonl, and run the same command again with --redo \
                 unreadable when that is mended",
                self.secrets.redact_text(reason)
            );
            self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
        }
    }

    /// Ends the run if this failure is one of many that are alike.
    fn trips(&self, ask: &PreparedQuestion, failure: &Failure) -> bool {
        let trips = self.breaker.trips(ask.key, failure);
        if trips {
            let reason = format!(
                "{MOST_ALIKE} questions in a row failed in the same way ({}); every answer so far is kept: \
                 run the same command again when that is mended",
                self.secrets.redact_text(&failure.message)
            );
            self.stop.drain(Error::Endpoint { endpoint: self.endpoint.clone(), reason, source: None });
        }
        trips
    }
}
