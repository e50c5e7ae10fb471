//! Decides what follows a failed request: whether and when the same question is asked again, whether all
//! requests pause, and whether the run ends.
//!
//! After a 429, [`report_to_limiter`] pauses all requests and lowers the limit of requests in flight, and
//! [`decide`] asks the same question again without using up one of its retries. A 503 or 529 leads to longer
//! pauses. Server errors and lost answers have a bounded number of retries. A refusal that applies to all
//! questions ends the run.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rand::Rng;

use super::aimd::ThrottleReason;
use super::breaker::MAX_SIMILAR_FAILURES;
use super::http::DeliveryStatus;
use super::limiter::Permit;
use super::question::PreparedQuestion;
use super::retry_policy::RetryPolicy;
use super::run_context::RunContext;
use crate::provider::{Failure, FailureClass, RateLimitInfo};
use crate::seed;

/// Maximum time for attempts to make the first connection to an endpoint.
const FIRST_CONTACT: Duration = Duration::from_secs(20);

/// The action after a failed request.
pub(crate) enum RetryDecision {
    /// The question is asked again when the limiter permits it.
    Retry,
    /// The question is asked again after this wait.
    RetryAfter(Duration),
    /// The question has failed.
    GiveUp,
    /// Many consecutive questions, including this one, have failed in the same way. The probe is sent again
    /// to find out whether all questions would fail.
    Recheck,
}

/// Numbers of retries of one question so far.
#[derive(Debug, Default)]
pub(crate) struct RetryCounts {
    /// Retries after errors that the server reported.
    server_errors: u32,
    /// Retries after requests that were sent but got no complete response.
    lost_answers: u32,
}

impl RetryCounts {
    /// Whether the question may be asked again if its next request gets no complete response.
    pub(crate) fn allow_loss(&self, policy: &RetryPolicy) -> bool {
        self.lost_answers < policy.unknown_retries
    }
}

/// A failed request with its details.
pub(crate) struct FailedRequest<'a> {
    pub(crate) question: &'a PreparedQuestion,
    pub(crate) failure: &'a Failure,
    /// Whether the request reached the server; `None` if a complete response arrived.
    pub(crate) delivery: Option<DeliveryStatus>,
    pub(crate) info: &'a RateLimitInfo,
}

/// Reports a response, or its absence, to the limiter.
pub(crate) fn report_to_limiter(
    run: &RunContext,
    question: &PreparedQuestion,
    permit: &Permit,
    class: Option<&FailureClass>,
    was_sent: bool,
    info: &RateLimitInfo,
) {
    let reason = match class {
        Some(FailureClass::Rejected) => ThrottleReason::Rejected,
        Some(FailureClass::Overloaded) => ThrottleReason::Overloaded,
        Some(FailureClass::NotSent) if was_sent => ThrottleReason::Unreachable,
        Some(FailureClass::NotSent | FailureClass::Unknown) => return,
        _ => return run.limiter.answered(info),
    };
    let jitter = seed::stream("collect", "jitter", u64::from(question.attempts)).random();
    if let Some(wait_s) = run.limiter.throttled(permit, reason, info, jitter) {
        let what = match reason {
            ThrottleReason::Rejected => "rejects requests (429)",
            ThrottleReason::Overloaded => "is overloaded",
            ThrottleReason::Unreachable => "cannot be reached",
        };
        let asked = match info.retry_after_s.filter(|wait_s| *wait_s > run.policy.backoff.longest_s) {
            Some(wait_s) => format!(" (it asks for {wait_s:.0} s; --max-wait-s limits every wait)"),
            None => String::new(),
        };
        run.progress.pause(run.limiter.paused_until());
        run.progress.say(&format!("{} {what}; all requests wait {wait_s:.1} s{asked}", run.endpoint));
    }
    run.progress.limit.store(run.limiter.limit() as u64, Relaxed);
}

/// Decides what follows a failure, by its class. Some failures end the run.
pub(crate) fn decide(
    run: &RunContext,
    failed: &FailedRequest<'_>,
    counts: &mut RetryCounts,
) -> RetryDecision {
    let FailedRequest { question, failure, .. } = *failed;
    let message = run.secrets.redact_text(&failure.message);
    if failed.delivery == Some(DeliveryStatus::Insecure) {
        run.stop_for_endpoint(format!(
            "no secure connection can be made ({message}); check the URL, or pass the certificate of the \
             server's authority with --ca-cert"
        ));
        return RetryDecision::GiveUp;
    }
    let may_retry = failed.info.should_retry != Some(false);
    match &failure.class {
        FailureClass::NotSent | FailureClass::Rejected | FailureClass::Overloaded if may_retry => {
            return retry_until_idle(run, failure, &message);
        }
        FailureClass::Unknown => {
            if let Some(wait) = next_wait(run, failed, counts) {
                return RetryDecision::RetryAfter(wait);
            }
        }
        FailureClass::Quota => run.stop_for_account(format!(
            "the account's quota is used up ({message}); all answers so far are stored: run the same command \
             again once the account has quota"
        )),
        FailureClass::Credentials => run.stop_for_account(format!(
            "the server refuses the key ({message}); set {} to a key that may use this model",
            run.provider.key_variable()
        )),
        FailureClass::Forbidden if run.has_answered.load(Relaxed) => {
            // The server accepted the key before, so it refuses only this request. A firewall that inspects
            // prompts may cause this.
            trips_breaker(run, question, failure);
        }
        FailureClass::Forbidden => run.stop_for_account(format!(
            "the server refuses the request ({message}); check that the key in {} may use this model",
            run.provider.key_variable()
        )),
        FailureClass::NoModel => {
            run.stop_for_endpoint(format!(
                "no such model or path ({message}); check --api-model and --base-url"
            ));
        }
        FailureClass::Redirect { host } => run.stop_for_endpoint(format!(
            "the server redirects to {}, and surmise does not follow redirects; if that is the right \
             address, set --base-url to it",
            run.secrets.redact_text(host)
        )),
        // The server accepted the same limit in the probe, so only the prompt of this question can be too
        // large.
        FailureClass::TooHigh { .. } if !question.probe => {}
        // The code that sends the probe handles these failures, and may adapt the parameters.
        FailureClass::Unsupported { .. } | FailureClass::TooHigh { .. } | FailureClass::TooLarge
            if question.probe => {}
        // A router may send one question to a model that refuses the parameter. All questions are sent with
        // the same parameters, so this question gets no answer.
        FailureClass::Unsupported { param, .. } | FailureClass::TooHigh { param } => {
            run.say_once(
                "parameter",
                &format!(
                    "{}: the server accepted `{param}` before, but refuses it for one question ({message}), \
                     which gets no answer; if the server is a router, choose one of its models with \
                     --api-model",
                    run.endpoint
                ),
            );
            if !question.probe && run.breaker.trips(question.key, failure) {
                run.breaker.reset();
                return RetryDecision::Recheck;
            }
        }
        // Other questions may be smaller, so even many such failures do not end the run.
        FailureClass::TooLarge => {}
        FailureClass::Invalid => {
            if !question.probe && run.breaker.trips(question.key, failure) {
                // The count of failures restarts, because the probe decides whether the failures so far end
                // the run.
                run.breaker.reset();
                return RetryDecision::Recheck;
            }
        }
        FailureClass::NotSent | FailureClass::Rejected | FailureClass::Overloaded => {
            trips_breaker(run, question, failure);
        }
    }
    RetryDecision::GiveUp
}

/// Retries a request that was not processed, until the run reaches its idle timeout.
fn retry_until_idle(run: &RunContext, failure: &Failure, message: &str) -> RetryDecision {
    let (idle_time, was_answered) = run.limiter.idle_time();
    // If a host has never answered, the URL is most likely wrong, so the timeout is shorter.
    let is_new = failure.class == FailureClass::NotSent && !was_answered;
    let timeout = run.policy.idle_timeout;
    let timeout = if is_new { timeout.min(FIRST_CONTACT) } else { timeout };
    if idle_time < timeout {
        return RetryDecision::Retry;
    }
    let reason = match failure.class {
        FailureClass::NotSent => format!("cannot be reached ({message})"),
        _ => format!("has rejected every request for {:.0} s ({message})", idle_time.as_secs_f64()),
    };
    run.stop_for_endpoint(reason + "; run the same command again later");
    RetryDecision::GiveUp
}

/// The wait before a retry that may be billed again; `None` if there is no further retry.
fn next_wait(run: &RunContext, failed: &FailedRequest<'_>, counts: &mut RetryCounts) -> Option<Duration> {
    let FailedRequest { question, failure, delivery, info } = *failed;
    let (used, most) = match delivery {
        // The server reported the error itself, so most likely nothing is billed.
        None => (&mut counts.server_errors, run.policy.retries),
        Some(_) => (&mut counts.lost_answers, run.policy.unknown_retries),
    };
    *used += 1;
    let n = *used;
    if n > most || info.should_retry == Some(false) || trips_breaker(run, question, failure) {
        return None;
    }
    let backoff = run.policy.backoff;
    let jitter: f64 = seed::stream("collect", &question.key.to_string(), n.into()).random();
    let wait_s = backoff.first_s * 2.0_f64.powi(n.min(30) as i32 - 1) * (0.5 + 0.5 * jitter);
    let wait_s = wait_s.max(info.retry_after_s.unwrap_or(0.0)).min(backoff.longest_s);
    Some(Duration::from_secs_f64(wait_s))
}

/// Counts an answer that cannot be read. Each answer may be billed, so many consecutive unreadable answers
/// with the same fault end the run.
pub(crate) fn note_unreadable(run: &RunContext, question: &PreparedQuestion, reason: &str) {
    if run.breaker.trips_unreadable(question.key, reason) {
        run.stop_for_endpoint(format!(
            "{MAX_SIMILAR_FAILURES} consecutive answers cannot be read for the same reason ({}); check \
             --base-url and --provider, look at the answers in journal.jsonl, and then run the same command \
             again with --redo unreadable",
            run.secrets.redact_text(reason)
        ));
    }
}

/// Counts a failure. Many consecutive similar failures end the run. Returns whether the run ends.
fn trips_breaker(run: &RunContext, question: &PreparedQuestion, failure: &Failure) -> bool {
    let trips = run.breaker.trips(question.key, failure);
    if trips {
        stop_for_similar_failures(run, failure);
    }
    trips
}

/// Ends the run because its questions fail in the same way.
pub(crate) fn stop_for_similar_failures(run: &RunContext, failure: &Failure) {
    run.stop_for_endpoint(format!(
        "{MAX_SIMILAR_FAILURES} consecutive questions failed in the same way ({}); all answers so far are \
         stored: run the same command again once the cause is resolved",
        run.secrets.redact_text(&failure.message)
    ));
}
