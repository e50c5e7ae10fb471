//! Calls the batch API: repeats a call if a repetition does no harm, and interprets the replies.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::context::Context;
use crate::collect::client::http::{DeliveryStatus, Reply};
use crate::provider::batch::BatchCall;
use crate::provider::{self, Failure, FailureClass, Outcome, json};

/// Maximum time for attempts to make the first connection.
const FIRST_CONTACT: Duration = Duration::from_secs(20);

/// The condition under which a call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// The call is repeated only if the server certainly did not carry it out.
    IfNotDone,
    /// The call is repeated if the server certainly did not carry it out. If this is unknown, the call is
    /// repeated a few times. If none of these calls gets a clear answer, the run ends.
    Always,
    /// Like [`Repeat::Always`], but the call is not repeated after the given time, if there is one. If the
    /// server can be reached but no attempt gets a result, the call ends with [`CallFault::Unclear`] instead
    /// of ending the run, because the fault may concern only one batch.
    Poll(Option<Instant>),
    /// Like [`Repeat::Poll`], but the call is not repeated after a conflict (status 409), which means that
    /// the batch to cancel has already ended.
    UnlessConflict,
}

/// The reason why a call has no result.
#[derive(Debug)]
pub(super) enum CallFault {
    /// The run is ending, and the reason is stored in `run.stop`. `may_be_done` states whether the server may
    /// have carried out the call.
    Stopped { may_be_done: bool },
    /// The time limit for repetitions has passed.
    Late,
    /// The server refuses the call because it is too large.
    TooLarge(String),
    /// The server may have carried out the call, or several attempts gave no result.
    Unclear(String),
    /// The server has no such path or batch.
    Missing(String),
    /// The server refuses the call.
    Refused(String),
}

/// How a reply is interpreted.
enum Verdict {
    Value(Value),
    Fault(CallFault),
    /// The call may be repeated. Contains the error message and the pause in seconds that the server asks
    /// for.
    Later(String, Option<f64>),
    /// The server may have carried out the call.
    Unclear(String),
}

impl Context<'_> {
    /// Makes a call, and repeats it under the condition `repeat`.
    pub(super) async fn call(&self, call: &BatchCall, repeat: Repeat) -> Result<Value, CallFault> {
        let run = &self.worker.run;
        let stopped = |may_be_done: bool| Err(CallFault::Stopped { may_be_done });
        let (began, mut n) = (Instant::now(), 0);
        loop {
            if run.stop.is_draining() {
                return stopped(false);
            }
            let reply = tokio::select! {
                biased;
                () = run.stop.aborting() => return stopped(true),
                reply = self.worker.client.call(call) => reply,
            };
            let is_conflict = reply.status == Some(409) && repeat == Repeat::UnlessConflict;
            let is_of_batch = matches!(repeat, Repeat::Poll(_) | Repeat::UnlessConflict);
            let (message, hint) = match self.verdict(&reply) {
                Verdict::Value(value) => {
                    run.has_answered.store(true, Relaxed);
                    return Ok(value);
                }
                Verdict::Fault(fault) => return Err(fault),
                Verdict::Later(message, _) if is_conflict => return Err(CallFault::Refused(message)),
                Verdict::Unclear(message) if repeat == Repeat::IfNotDone => {
                    return Err(CallFault::Unclear(message));
                }
                Verdict::Later(message, _) if repeat == Repeat::IfNotDone && may_be_done(reply.status) => {
                    return Err(CallFault::Unclear(message));
                }
                Verdict::Unclear(message) if n >= run.policy.retries && is_of_batch => {
                    return Err(CallFault::Unclear(message));
                }
                Verdict::Unclear(message) if n >= run.policy.retries => {
                    run.stop_for_endpoint(format!("{message}; run the same command again later"));
                    return stopped(true);
                }
                Verdict::Unclear(message) => (message, None),
                Verdict::Later(message, hint) => {
                    let is_new = reply.status.is_none() && !run.has_answered.load(Relaxed);
                    let limit = if is_new { FIRST_CONTACT } else { run.policy.idle_timeout };
                    if began.elapsed() > limit.min(run.policy.idle_timeout) {
                        if is_of_batch && reply.status.is_some() {
                            return Err(CallFault::Unclear(message));
                        }
                        run.stop_for_endpoint(format!("{message}; run the same command again later"));
                        return stopped(false);
                    }
                    (message, hint)
                }
            };
            run.say_once("batch call", &format!("{}: {message}; the call is repeated", run.endpoint));
            match repeat {
                Repeat::Poll(Some(end)) => tokio::select! {
                    () = self.pause(n, hint) => {}
                    () = tokio::time::sleep_until(end) => return Err(CallFault::Late),
                },
                _ => self.pause(n, hint).await,
            }
            n += 1;
        }
    }

    /// Whether the server answers a request for the list of batches. If it does not, the failure concerns the
    /// server, not a single batch, so no batch is given up.
    pub(super) async fn is_reachable(&self) -> bool {
        let list = self.call(&self.wire.list(None), Repeat::Poll(None)).await;
        matches!(list, Ok(_) | Err(CallFault::Missing(_) | CallFault::Refused(_)))
    }

    /// Waits before the next attempt. Returns early if the run ends.
    pub(super) async fn pause(&self, n: u32, hint_s: Option<f64>) {
        let backoff = self.worker.run.policy.backoff;
        let wait_s = backoff.first_s * 2.0_f64.powi(n.min(30) as i32);
        let wait_s = wait_s.max(hint_s.unwrap_or(0.0)).min(backoff.longest_s);
        tokio::select! {
            biased;
            () = self.worker.run.stop.draining() => {}
            () = tokio::time::sleep(Duration::from_secs_f64(wait_s)) => {}
        }
    }

    fn verdict(&self, reply: &Reply) -> Verdict {
        let run = &self.worker.run;
        if let Some(error) = &reply.transport_error {
            let message = run.secrets.redact_text(&error.message).into_owned();
            return match error.delivery {
                DeliveryStatus::NotSent => Verdict::Later(message, None),
                DeliveryStatus::Insecure => {
                    run.stop_for_endpoint(format!(
                        "no secure connection can be made ({message}); check the URL, or pass the \
                         certificate of the server's authority with --ca-cert"
                    ));
                    Verdict::Fault(CallFault::Stopped { may_be_done: false })
                }
                DeliveryStatus::Unknown | DeliveryStatus::TooLarge => Verdict::Unclear(message),
            };
        }
        let status = reply.status.unwrap_or(0);
        if (200..300).contains(&status) {
            return match json::read(&reply.body) {
                Ok(value) => Verdict::Value(value),
                Err(why) => Verdict::Unclear(format!("the response of the batch API {why}")),
            };
        }
        self.refusal(reply)
    }

    /// Interprets a reply whose status is not a success.
    pub(super) fn fault(&self, reply: &Reply) -> CallFault {
        match self.refusal(reply) {
            Verdict::Fault(fault) => fault,
            Verdict::Later(message, _) | Verdict::Unclear(message) => CallFault::Unclear(message),
            Verdict::Value(_) => CallFault::Refused("the reply has an unexpected form".into()),
        }
    }

    fn refusal(&self, reply: &Reply) -> Verdict {
        let run = &self.worker.run;
        let status = reply.status.unwrap_or(0);
        let answer = provider::read(self.plan.provider, status, &reply.headers, &reply.body);
        let Outcome::Failed(Failure { class, message, code, .. }) = answer.outcome else {
            return Verdict::Fault(CallFault::Refused(format!("status {status}")));
        };
        let message = run.secrets.redact_text(&message).into_owned();
        match class {
            FailureClass::NotSent | FailureClass::Rejected | FailureClass::Overloaded => {
                Verdict::Later(message, answer.rate_limit.retry_after_s)
            }
            FailureClass::Unknown => Verdict::Unclear(message),
            FailureClass::TooLarge => Verdict::Fault(CallFault::TooLarge(message)),
            FailureClass::NoModel => Verdict::Fault(CallFault::Missing(message)),
            FailureClass::Credentials | FailureClass::Forbidden | FailureClass::Quota => {
                run.stop_for_account(format!(
                    "the batch API refuses the call ({message}); check the account of the key in {}",
                    self.plan.provider.key_variable()
                ));
                Verdict::Fault(CallFault::Stopped { may_be_done: false })
            }
            FailureClass::Redirect { .. } => {
                run.stop_for_endpoint(message);
                Verdict::Fault(CallFault::Stopped { may_be_done: false })
            }
            // Servers also refuse large batches with the status 400.
            _ if is_size(&message) || code.is_some_and(|code| is_size(&code)) => {
                Verdict::Fault(CallFault::TooLarge(message))
            }
            _ => Verdict::Fault(CallFault::Refused(message)),
        }
    }
}

/// Whether the server may have carried out a call that is answered with this status. The status may come from
/// a gateway: load balancers also answer 503 if their connection to the server breaks before the server
/// answers. The status 529 always comes from the server, which then has not carried out the call.
fn may_be_done(status: Option<u16>) -> bool {
    status.is_some_and(|status| status == 409 || ((500..600).contains(&status) && status != 529))
}

/// Whether the message or code of a refusal states that the batch has too many bytes or requests.
fn is_size(text: &str) -> bool {
    const SIGNS: [&str; 9] = [
        "too large",
        "too_large",
        "too many",
        "too_many",
        "too big",
        "limit_exceeded",
        "exceeds the limit",
        "exceeds the maximum",
        "size exceeded",
    ];
    let text = text.to_ascii_lowercase();
    let is_list = text.split_once("at most ").is_some_and(|(_, rest)| {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
        after.len() < rest.len() && [" items", " requests"].iter().any(|unit| after.starts_with(unit))
    });
    is_list || SIGNS.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_for_size_is_known_by_its_text() {
        for text in [
            "File is too large. Max allowed size is 209715200 bytes.",
            "batch_too_many_tasks",
            "requests: List should have at most 100000 items after validation, not 100001",
            "Request payload size exceeds the limit: 20971520 bytes.",
            "token_limit_exceeded",
        ] {
            assert!(is_size(text), "{text}");
        }
        for text in ["Billing hard limit has been reached", "temperature must be at most 1", "invalid model"]
        {
            assert!(!is_size(text), "{text}");
        }
    }
}
