//! The decision after a failed request: whether the same question is asked again and when, whether all
//! requests pause, and whether the run ends.
//!
//! A 429 is handled here: [`report_to_limiter`] makes all requests pause and lowers their number, and
//! [`decide`] asks the same question again without using up one of its retries. So are 503 and 529 (longer
//! pauses), server errors and lost answers (a bounded number of retries), and refusals that hold for all
//! questions (the run ends).

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rand::Rng;

use super::aimd::ThrottleReason;
use super::breaker::MAX_SIMILAR_FAILURES;
use super::http::DeliveryStatus;
use super::limiter::Permit;
use super::question::PreparedQuestion;
use super::run_context::RunContext;
use crate::provider::{Failure, FailureClass, RateLimitInfo};
use crate::seed;

/// How long an endpoint that was never reached is tried.
const FIRST_CONTACT: Duration = Duration::from_secs(20);

/// What follows a failed request.
pub(crate) enum RetryDecision {
    /// The question is asked again as soon as the limiter permits it.
    Retry,
    /// The question is asked again after a wait of its own.
    RetryAfter(Duration),
    /// The question has failed.
    GiveUp,
}

/// Retries of one question so far.
#[derive(Debug, Default)]
pub(crate) struct RetryCounts {
    /// After errors that the server reported.
    server_errors: u32,
    /// After requests whose answers were lost.
    lost_answers: u32,
}

/// Tells the limiter what a response, or its absence, says about the server.
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
            ThrottleReason::Rejected => "turns requests away",
            ThrottleReason::Overloaded => "is overloaded",
            ThrottleReason::Unreachable => "cannot be reached",
        };
        let asked = match info.retry_after_s.filter(|wait_s| *wait_s > run.policy.backoff.longest_s) {
            Some(wait_s) => format!(" (it asks for {wait_s:.0} s; no wait is longer than --max-wait-s)"),
            None => String::new(),
        };
        run.progress.pause(run.limiter.paused_until());
        run.progress.say(&format!("{} {what}; all wait {wait_s:.1} s{asked}", run.endpoint));
    }
    run.progress.limit.store(run.limiter.limit() as u64, Relaxed);
}

/// What follows a failure, by its class. Some failures end the run.
pub(crate) fn decide(
    run: &RunContext,
    question: &PreparedQuestion,
    failure: &Failure,
    delivery: Option<DeliveryStatus>,
    info: &RateLimitInfo,
    counts: &mut RetryCounts,
) -> RetryDecision {
    let message = run.secrets.redact_text(&failure.message);
    if delivery == Some(DeliveryStatus::Insecure) {
        run.stop_for_endpoint(format!(
            "the connection cannot be secured ({message}); check the URL, or name the server's authority \
             with --ca-cert"
        ));
        return RetryDecision::GiveUp;
    }
    let may_help = info.should_retry != Some(false);
    match &failure.class {
        FailureClass::NotSent | FailureClass::Rejected | FailureClass::Overloaded if may_help => {
            return retry_unless_silent(run, failure, &message);
        }
        FailureClass::Unknown => {
            if let Some(wait) = next_wait(run, question, failure, delivery, info, counts, may_help) {
                return RetryDecision::RetryAfter(wait);
            }
        }
        FailureClass::Quota => run.stop_for_account(format!(
            "the account may ask no more ({message}); every answer so far is kept: run the same command \
             again when it may"
        )),
        FailureClass::Credentials => run.stop_for_account(format!(
            "the key is refused ({message}); set {} to a key that may use this model",
            run.provider.key_variable()
        )),
        FailureClass::NoModel => {
            run.stop_for_endpoint(format!("no such model or path ({message}); check --model and --base-url"));
        }
        FailureClass::Redirect { host } => run.stop_for_endpoint(format!(
            "the server points to {}, and nothing is sent there; if that is where you want to ask, set \
             --base-url yourself",
            run.secrets.redact_text(host)
        )),
        // A probe meets this first, and may adapt.
        FailureClass::Unsupported { .. } if question.probe => {}
        FailureClass::Unsupported { param } => {
            let hint = if run.adapt { "leave it away" } else { "leave it away, or pass --adapt-params" };
            run.stop_for_endpoint(format!("the model does not support `{param}` ({message}); {hint}"));
        }
        FailureClass::Invalid | FailureClass::NotSent | FailureClass::Rejected | FailureClass::Overloaded => {
            trips_breaker(run, question, failure);
        }
    }
    RetryDecision::GiveUp
}

/// A request that was not processed is repeated until nothing has been answered for too long.
fn retry_unless_silent(run: &RunContext, failure: &Failure, message: &str) -> RetryDecision {
    let (silence, was_answered) = run.limiter.silence();
    // A host that never answered is most likely a wrong URL.
    let is_new = failure.class == FailureClass::NotSent && !was_answered;
    let longest = if is_new { run.policy.silence.min(FIRST_CONTACT) } else { run.policy.silence };
    if silence < longest {
        return RetryDecision::Retry;
    }
    let reason = match failure.class {
        FailureClass::NotSent => format!("cannot be reached ({message})"),
        _ => format!("has turned every request away for {:.0} s ({message})", silence.as_secs_f64()),
    };
    run.stop_for_endpoint(reason + "; run the same command again later");
    RetryDecision::GiveUp
}

/// The wait before another request that may be billed again; `None` if there is to be none.
fn next_wait(
    run: &RunContext,
    question: &PreparedQuestion,
    failure: &Failure,
    delivery: Option<DeliveryStatus>,
    info: &RateLimitInfo,
    counts: &mut RetryCounts,
    may_help: bool,
) -> Option<Duration> {
    let (used, most) = match delivery {
        // The server reported the error itself: most likely nothing is billed.
        None => (&mut counts.server_errors, run.policy.retries),
        Some(_) => (&mut counts.lost_answers, run.policy.unknown_retries),
    };
    *used += 1;
    let n = *used;
    if n > most || !may_help || trips_breaker(run, question, failure) {
        return None;
    }
    let backoff = run.policy.backoff;
    let jitter: f64 = seed::stream("collect", &question.key.to_string(), n.into()).random();
    let wait_s = backoff.first_s * 2.0_f64.powi(n.min(30) as i32 - 1) * (0.5 + 0.5 * jitter);
    let wait_s = wait_s.max(info.retry_after_s.unwrap_or(0.0)).min(backoff.longest_s);
    Some(Duration::from_secs_f64(wait_s))
}

/// Ends the run if this answer is one of many in a row that cannot be read, for the same reason: each may be
/// billed.
pub(crate) fn note_unreadable(run: &RunContext, question: &PreparedQuestion, reason: &str) {
    if run.breaker.trips_unreadable(question.key, reason) {
        run.stop_for_endpoint(format!(
            "{MAX_SIMILAR_FAILURES} answers in a row cannot be read, in the same way ({}); check --base-url \
             and --provider, look at them in journal.jsonl, and run the same command again with --redo \
             unreadable when that is mended",
            run.secrets.redact_text(reason)
        ));
    }
}

/// Ends the run if this failure is one of many in a row that are alike.
fn trips_breaker(run: &RunContext, question: &PreparedQuestion, failure: &Failure) -> bool {
    let trips = run.breaker.trips(question.key, failure);
    if trips {
        run.stop_for_endpoint(format!(
            "{MAX_SIMILAR_FAILURES} questions in a row failed in the same way ({}); every answer so far is \
             kept: run the same command again when that is mended",
            run.secrets.redact_text(&failure.message)
        ));
    }
    trips
}
