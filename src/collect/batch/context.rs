//! Provides what all parts of a run in batches share: calls of the batch API with retries, and the records of
//! a batch.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::collect::budget::ledger::Reservation;
use crate::collect::client::http::{DeliveryStatus, Reply};
use crate::collect::client::worker::Worker;
use crate::collect::journal::{
    self, BatchIntent, BatchRecord, BatchStage, Commit, Intent, JournalReader, OpenBatch, OutcomeRecord,
    Record,
};
use crate::collect::plan::Plan;
use crate::collect::results::replay::most_tokens;
use crate::error::Result;
use crate::provider::batch::{BatchCall, BatchWire};
use crate::provider::{self, Failure, FailureClass, Outcome, json};

/// Maximum time for attempts to make the first connection.
const FIRST_CONTACT: Duration = Duration::from_secs(20);
/// Maximum number of queued records before they are awaited.
const MOST_COMMITS: usize = 1024;

/// The shared context of a run in batches.
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) worker: &'a Worker,
    pub(super) wire: &'static dyn BatchWire,
    pub(super) journal: &'a Path,
}

/// A batch that has not ended, with its requests.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) batch: OpenBatch,
    /// All requests, in order.
    pub(super) intents: Vec<BatchIntent>,
    /// The requests without an outcome, in order.
    pub(super) open: Vec<BatchIntent>,
}

/// When a call is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// If it was certainly not carried out.
    IfNotDone,
    /// If it was certainly not carried out, and a few times if that is unknown.
    Always,
    /// As [`Repeat::Always`], but not after this time.
    Until(Instant),
    /// As [`Repeat::Always`], but not after a conflict (409): the batch to cancel has ended.
    UnlessConflict,
}

/// The reason why a call has no result.
#[derive(Debug)]
pub(super) enum CallFault {
    /// The run ends, and the reason is stored. `may_be_done` states whether the call may have been carried
    /// out.
    Stopped { may_be_done: bool },
    /// The time for repetitions is over.
    Late,
    /// The call is too large.
    TooLarge(String),
    /// The call may have been carried out.
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
    /// The call was not carried out, and may be repeated after this time in seconds.
    Later(String, Option<f64>),
    /// The call may have been carried out.
    Unclear(String),
}

impl Context<'_> {
    /// Provider and base URL, as the journal names them.
    pub(super) fn endpoint(&self) -> String {
        format!("{} {}", self.plan.provider.name(), self.worker.run.endpoint)
    }

    /// Makes a call, and repeats it where that is harmless.
    pub(super) async fn call(
        &self,
        call: &BatchCall,
        repeat: Repeat,
    ) -> std::result::Result<Value, CallFault> {
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
                Verdict::Unclear(message) if n >= run.policy.retries => {
                    run.stop_for_endpoint(format!("{message}; run the same command again later"));
                    return stopped(true);
                }
                Verdict::Unclear(message) => (message, None),
                Verdict::Later(message, hint) => {
                    let is_new = reply.status.is_none() && !run.has_answered.load(Relaxed);
                    let limit = if is_new { FIRST_CONTACT } else { run.policy.idle_timeout };
                    if began.elapsed() > limit.min(run.policy.idle_timeout) {
                        run.stop_for_endpoint(format!("{message}; run the same command again later"));
                        return stopped(false);
                    }
                    (message, hint)
                }
            };
            run.say_once("batch call", &format!("{}: {message}; the call is repeated", run.endpoint));
            match repeat {
                Repeat::Until(end) => tokio::select! {
                    () = self.pause(n, hint) => {}
                    () = tokio::time::sleep_until(end) => return Err(CallFault::Late),
                },
                _ => self.pause(n, hint).await,
            }
            n += 1;
        }
    }

    /// Waits before the next attempt, or until the run ends.
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
                    run.stop_for_endpoint(format!("no secure connection can be made ({message})"));
                    Verdict::Fault(CallFault::Stopped { may_be_done: false })
                }
                DeliveryStatus::Unknown | DeliveryStatus::TooLarge => Verdict::Unclear(message),
            };
        }
        let status = reply.status.unwrap_or(0);
        if (200..300).contains(&status) {
            return match json::read(&reply.body) {
                Ok(value) => Verdict::Value(value),
                Err(why) => Verdict::Unclear(format!("the answer of the batch API {why}")),
            };
        }
        self.refusal(reply)
    }

    /// Interprets a reply whose status is not a success.
    pub(super) fn fault(&self, reply: &Reply) -> CallFault {
        match self.refusal(reply) {
            Verdict::Fault(fault) => fault,
            Verdict::Later(message, _) | Verdict::Unclear(message) => CallFault::Unclear(message),
            Verdict::Value(_) => CallFault::Refused("is no answer".into()),
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

    /// Writes a record of a batch durably, and applies it to the batch in memory.
    pub(super) async fn note(&self, batch: &mut OpenBatch, record: BatchRecord) -> Result<()> {
        self.worker.writer.append(&Record::Batch(record.clone()))?.durable().await?;
        batch.note(&record);
        Ok(())
    }

    /// Writes a record that a batch has reached a stage.
    pub(super) async fn note_stage(
        &self,
        batch: &mut OpenBatch,
        stage: BatchStage,
        id: Option<&str>,
    ) -> Result<()> {
        let name = batch.name.clone();
        let record = BatchRecord { id: id.map(Into::into), ..BatchRecord::new(&name, journal::now(), stage) };
        self.note(batch, record).await
    }

    /// Reads the record of a request.
    pub(super) fn intent(&self, reader: &mut JournalReader, intent: &BatchIntent) -> Result<Option<Intent>> {
        Ok(match reader.record(intent.place)? {
            Record::Intent(intent) => Some(intent),
            _ => None,
        })
    }

    /// The amount that is reserved for a request.
    pub(super) fn reservation(&self, intent: &Intent) -> Reservation {
        let budget = &self.worker.run.budget;
        // A token has at least one byte.
        let (prompt, completion) = (intent.body.len() as u64, most_tokens(&intent.body).unwrap_or(0));
        match intent.reserve_usd {
            Some(usd) => budget.restored(usd, prompt, completion),
            None => {
                // There was no price at the time, so nothing is reserved yet.
                let most = budget.max_batch_cost(prompt, completion);
                budget.hold(budget.usd(most).unwrap_or(0.0));
                most
            }
        }
    }

    /// Ends a batch whose open requests were not processed: their questions count as not asked.
    pub(super) async fn withdraw(&self, held: &mut Held, end: &str, why: &str) -> Result<()> {
        let outcome =
            |intent: &BatchIntent, _: Option<f64>| OutcomeRecord::not_asked(intent.key, intent.attempt, why);
        self.close(held, false, outcome).await?;
        self.end(&mut held.batch, end).await
    }

    /// Ends a batch whose state can no longer be determined: its open requests may have been processed and
    /// billed.
    pub(super) async fn give_up(&self, held: &mut Held, end: &str, why: &str) -> Result<()> {
        self.book_lost(held, why).await?;
        self.end(&mut held.batch, end).await
    }

    /// Writes outcomes which state that the open requests of a batch may have been processed and billed.
    pub(super) async fn book_lost(&self, held: &mut Held, why: &str) -> Result<()> {
        let outcome = |intent: &BatchIntent, usd: Option<f64>| {
            let lost = OutcomeRecord::crashed(intent.key, intent.attempt, false, usd);
            OutcomeRecord { crashed: false, error: Some(why.into()), ..lost }
        };
        self.close(held, true, outcome).await
    }

    /// Writes the outcomes of the open requests of a batch.
    async fn close(
        &self,
        held: &mut Held,
        is_paid: bool,
        outcome: impl Fn(&BatchIntent, Option<f64>) -> OutcomeRecord,
    ) -> Result<()> {
        let budget = &self.worker.run.budget;
        let mut reader = JournalReader::open(self.journal)?;
        let mut commits = Commits::default();
        for intent in std::mem::take(&mut held.open) {
            let Some(sent) = self.intent(&mut reader, &intent)? else { continue };
            let reserve = self.reservation(&sent);
            let usd = if is_paid {
                budget.charge(reserve, None, None)
            } else {
                budget.release(reserve);
                None
            };
            let outcome = OutcomeRecord { batch: Some(held.batch.name.clone()), ..outcome(&intent, usd) };
            commits.add(self.worker.writer.append(&Record::Outcome(Box::new(outcome)))?).await?;
        }
        commits.durable().await
    }

    /// Writes a record that every request of a batch has an outcome.
    pub(super) async fn end(&self, batch: &mut OpenBatch, end: &str) -> Result<()> {
        let name = batch.name.clone();
        let ended = BatchRecord::new(&name, journal::now(), BatchStage::Ended);
        self.note(batch, BatchRecord { end: Some(end.into()), ..ended }).await
    }
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

/// Records that are being written. Their number is limited.
#[derive(Debug, Default)]
pub(super) struct Commits(Vec<Commit>);

impl Commits {
    pub(super) async fn add(&mut self, commit: Commit) -> Result<()> {
        self.0.push(commit);
        if self.0.len() >= MOST_COMMITS { self.durable().await } else { Ok(()) }
    }

    /// Waits until all are durable.
    pub(super) async fn durable(&mut self) -> Result<()> {
        for commit in self.0.drain(..) {
            commit.durable().await?;
        }
        Ok(())
    }
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
