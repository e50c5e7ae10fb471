//! One question until it has an outcome: leave of the limiter, a reserve of the budget, the intent on disk,
//! one request, what came on disk; and by the class of what came, again or not.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::Breaker;
use super::http::{Client, DeliveryStatus, Reply};
use super::limiter::{Backoff, Limiter, Permit};
use super::retry_decision::{AnswerMonitor, RetryDecision};
use super::stop::Stop;
use crate::collect::budget::ledger::{Budget, Reservation};
use crate::collect::journal;
use crate::collect::journal::{Intent, JournalWriter, OutcomeRecord, QuestionKey, Record};
use crate::collect::progress::Progress;
use crate::collect::results::reading;
use crate::collect::secrets::Secrets;
use crate::error::{Error, Result};
use crate::provider::{Answer, Failure, FailureClass, Outcome, Provider, Request, WireRequest};

/// How patiently is asked.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Requests at a time, at most.
    pub concurrency: usize,
    /// Requests more to a question whose answer is a server's error.
    pub retries: u32,
    /// Requests more to a question whose request went and whose answer did not come whole.
    pub unknown_retries: u32,
    /// Waits between requests.
    pub waits: Backoff,
    /// The run ends when nothing was answered for so long.
    pub silence: Duration,
    /// Whether answers may be cut at the limit of tokens, all of them if need be.
    pub keep_truncated: bool,
    /// The model that must answer.
    pub model_snapshot: Option<String>,
}

/// What is asked, rendered.
pub(crate) struct PreparedQuestion {
    pub(crate) key: QuestionKey,
    pub(crate) task: String,
    pub(crate) item: String,
    pub(crate) replicate: u32,
    pub(crate) probe: bool,
    /// Requests to this question in earlier runs.
    pub(crate) attempts: u32,
    pub(crate) wire: WireRequest,
    pub(crate) most: Reservation,
}

/// What all questions of a run share.
pub(crate) struct Worker {
    pub(crate) provider: &'static dyn Provider,
    pub(crate) endpoint: String,
    pub(crate) client: Client,
    pub(crate) writer: JournalWriter,
    pub(crate) limiter: Limiter,
    pub(crate) budget: Budget,
    /// No question costs less at most.
    pub(crate) least: Reservation,
    /// Whether a question did not fit into the budget.
    pub(crate) is_short: AtomicBool,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) breaker: Breaker,
    pub(crate) stop: Arc<Stop>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) patience: RetryPolicy,
    pub(crate) adapt: bool,
    pub(crate) seen: Mutex<AnswerMonitor>,
}

/// How a question ended.
pub(crate) enum QuestionOutcome {
    /// It has an answer, of whatever kind.
    Answered,
    /// It has none, and will not in this run.
    Failed(Failure),
    /// It was left for another run.
    Left,
}

impl Worker {
    /// The most a request can cost.
    pub(crate) fn most(&self, request: &Request) -> Reservation {
        self.budget.most(&request.prompt, request.params.max_tokens)
    }

    /// Asks until there is an outcome or the run ends.
    pub(crate) async fn ask(&self, ask: &PreparedQuestion) -> QuestionOutcome {
        let (mut errors, mut unknowns, mut attempt) = (0, 0, ask.attempts);
        loop {
            attempt += 1;
            let permit = tokio::select! {
                biased;
                () = self.stop.draining() => return QuestionOutcome::Left,
                permit = self.limiter.acquire() => permit,
            };
            let allowed = tokio::select! {
                biased;
                () = self.stop.draining() => return QuestionOutcome::Left,
                allowed = self.budget.reserve(ask.most) => allowed,
            };
            if !allowed {
                // Cheaper ones may still fit.
                self.is_short.store(true, Relaxed);
                if ask.probe || !self.budget.fits(self.least) {
                    self.stop.drain(Error::Budget { reason: String::new() });
                }
                return QuestionOutcome::Left;
            }
            let (answer, arrival, fate) = match self.request(ask, attempt, &permit).await {
                Ok(Some(came)) => came,
                Ok(None) => return QuestionOutcome::Left,
                Err(error) => {
                    self.stop.drain(error);
                    return QuestionOutcome::Left;
                }
            };
            self.note(ask, &answer, arrival.elapsed_s);
            // Before the permit goes to another, so that after a refusal that holds for all not one more is
            // sent.
            let end = match answer.outcome {
                Outcome::Failed(failure) => {
                    let next = self.next(ask, &failure, fate, &answer.rate_limit, &mut errors, &mut unknowns);
                    Some((failure, next))
                }
                Outcome::Unreadable { reason } => {
                    self.weigh_unreadable(ask, &reason);
                    None
                }
                _ => {
                    self.breaker.reset();
                    None
                }
            };
            drop(permit);
            let durable = match self.writer.append(&Record::Outcome(Box::new(arrival))) {
                Ok(commit) => commit.durable().await,
                Err(error) => Err(error),
            };
            if let Err(error) = durable {
                self.stop.drain(error);
                return QuestionOutcome::Left;
            }
            match end {
                None => return QuestionOutcome::Answered,
                Some((failure, RetryDecision::GiveUp)) => return QuestionOutcome::Failed(failure),
                Some((_, RetryDecision::Again)) => {}
                Some((_, RetryDecision::AgainAfter(wait))) => tokio::select! {
                    biased;
                    () = self.stop.draining() => return QuestionOutcome::Left,
                    () = tokio::time::sleep(wait) => {}
                },
            }
            self.progress.retries.fetch_add(1, Relaxed);
        }
    }

    /// One request, from its intent on disk to what came of it. `None` if the run was aborted before it came.
    async fn request(
        &self,
        ask: &PreparedQuestion,
        attempt: u32,
        permit: &Permit<'_>,
    ) -> Result<Option<(Answer, OutcomeRecord, Option<DeliveryStatus>)>> {
        let intent = Intent {
            key: ask.key,
            attempt,
            probe: ask.probe,
            at: journal::now(),
            task: ask.task.clone(),
            item: ask.item.clone(),
            replicate: ask.replicate,
            reserve_usd: self.budget.usd(ask.most),
            path: ask.wire.path.clone(),
            body: String::from_utf8_lossy(&ask.wire.body).into_owned(),
        };
        let kept = match self.writer.append(&Record::Intent(intent)) {
            Ok(commit) => commit.durable().await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            self.budget.release(ask.most);
            return Err(error);
        }
        // A pause may have begun while the intent was written.
        let go = tokio::select! {
            biased;
            () = self.stop.draining() => false,
            () = self.limiter.calm() => true,
        };
        let sent = Instant::now();
        let reply = if go {
            self.progress.sent.fetch_add(1, Relaxed);
            tokio::select! {
                biased;
                () = self.stop.aborting() => return Ok(None),
                reply = self.client.send(&ask.wire) => reply,
            }
        } else {
            Reply::not_sent("the run was stopped before the request was sent")
        };
        let fate = reply.lost.as_ref().map(|lost| lost.fate);
        let mut arrival = self.arrival(ask, attempt, reply, sent.elapsed());
        let mut answer = reading::answer(self.provider, &arrival);
        // What a reader puts together out of several strings may hold what none of them does.
        if self.secrets.is_in_answer(&answer) {
            arrival.hide("the answer held the key in pieces, and is not kept");
            let (usage, rate_limit) = (answer.usage, answer.rate_limit);
            answer = match answer.outcome {
                // What is to be done about a failure is to be done whatever it says.
                Outcome::Failed(Failure { class, .. }) => {
                    let message = "a message that held the key in pieces".into();
                    Answer::of(Outcome::Failed(Failure { class, message, code: None, param: None }))
                }
                _ => reading::answer(self.provider, &arrival),
            };
            (answer.usage, answer.rate_limit) = (usage, rate_limit);
        }
        arrival.outcome = answer.outcome.kind().into();
        let class = if let Outcome::Failed(failure) = &answer.outcome {
            arrival.class = Some(if go { failure.class.name() } else { journal::NOT_ASKED }.into());
            arrival.error.get_or_insert_with(|| failure.message.clone());
            Some(&failure.class)
        } else {
            None
        };
        arrival.possibly_paid = matches!(class, Some(FailureClass::Unknown));
        arrival.cost_usd = match class {
            None => self.budget.settle(ask.most, answer.usage.as_ref()),
            Some(FailureClass::Unknown) => self.budget.settle(ask.most, None),
            Some(_) => {
                self.budget.release(ask.most);
                None
            }
        };
        if let Some(usd) = self.budget.spent_usd() {
            self.progress.spent_micro_usd.store((usd * 1e6) as u64, Relaxed);
        }
        self.tell_limiter(ask, permit, class, go, &answer.rate_limit);
        Ok(Some((answer, arrival, fate)))
    }

    /// A record of what came, without secrets.
    fn arrival(
        &self,
        ask: &PreparedQuestion,
        attempt: u32,
        reply: Reply,
        elapsed: Duration,
    ) -> OutcomeRecord {
        let Reply { status, headers, body, lost } = reply;
        let mut redacted = false;
        let mut clean = |text: &str| {
            let clean = self.secrets.redact_text(text);
            redacted |= clean != text;
            clean.into_owned()
        };
        let headers = headers.iter().map(|(name, value)| (name.to_owned(), clean(value))).collect();
        let error = lost.as_ref().map(|lost| clean(&lost.message));
        let body = match self.secrets.redact(&body) {
            Cow::Borrowed(_) => body,
            Cow::Owned(clean) => {
                redacted = true;
                clean
            }
        };
        let (outcome, class) = match lost.as_ref().map(|lost| lost.fate) {
            None => ("", None),
            Some(DeliveryStatus::TooLarge) => ("unreadable", None),
            Some(DeliveryStatus::Unknown) => ("failed", Some(FailureClass::Unknown)),
            Some(DeliveryStatus::NotSent | DeliveryStatus::Insecure) => {
                ("failed", Some(FailureClass::NotSent))
            }
        };
        let mut arrival = OutcomeRecord {
            key: ask.key,
            attempt,
            probe: ask.probe,
            at: journal::now(),
            elapsed_s: (elapsed.as_secs_f64() * 1e4).round() / 1e4,
            outcome: outcome.into(),
            class: class.map(|class| class.name().into()),
            error,
            status,
            headers,
            body: None,
            body_base64: None,
            redacted,
            cost_usd: None,
            possibly_paid: false,
            incomplete: lost.is_some(),
            crashed: false,
        };
        if status.is_some() {
            arrival.set_body(body);
        }
        arrival
    }
}
