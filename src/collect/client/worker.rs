//! Asks one question until it has an outcome. For each request, it takes a permit from the limiter and a
//! reservation in the budget, writes the intent to disk, sends the request and writes the outcome to disk.
//! After a failure, it decides whether to retry.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use tokio::time::Instant;

use super::answer_monitor::AnswerMonitor;
use super::http::{Client, DeliveryStatus, Reply};
use super::latency;
use super::limiter::Permit;
use super::question::{PreparedQuestion, QuestionOutcome};
use super::received::{charge, read};
use super::response_record::response_record;
use super::retry_decision::{
    FailedRequest, RetryCounts, RetryDecision, decide, note_unreadable, report_to_limiter,
    stop_for_similar_failures,
};
use super::run_context::RunContext;
use crate::collect::budget::reservation::Reservation;
use crate::collect::first_answers::FirstAnswers;
use crate::collect::journal::{self, Intent, JournalWriter, OutcomeRecord, Record};
use crate::error::{Error, Result};
use crate::provider::{Answer, FailureClass, Outcome, Request};

/// Sends the questions of a run. All questions share one worker.
pub(crate) struct Worker {
    pub(crate) run: RunContext,
    pub(crate) client: Client,
    pub(crate) writer: JournalWriter,
    /// The maximum cost of the cheapest question.
    pub(crate) least: Reservation,
    /// Whether the budget was too small for some question.
    pub(crate) is_short: AtomicBool,
    pub(crate) monitor: AnswerMonitor,
    pub(crate) first: FirstAnswers,
    /// The probe that distinguishes a fault of the run from faults of individual questions.
    pub(crate) probe_again: Option<PreparedQuestion>,
    /// Number of times that this probe was sent.
    pub(crate) n_probes_again: AtomicU32,
}

impl Worker {
    /// The maximum cost of a request.
    pub(crate) fn most(&self, request: &Request) -> Reservation {
        self.run.budget.most(&request.prompt, request.params.max_tokens)
    }

    /// Asks a question until it has an outcome or the run ends.
    pub(crate) async fn ask(&self, question: &PreparedQuestion) -> QuestionOutcome {
        let (mut counts, mut attempt) = (RetryCounts::default(), question.attempts);
        loop {
            attempt += 1;
            let permit = tokio::select! {
                biased;
                () = self.run.stop.draining() => return QuestionOutcome::Deferred,
                permit = self.run.limiter.acquire() => permit,
            };
            let allowed = tokio::select! {
                biased;
                () = self.run.stop.draining() => return QuestionOutcome::Deferred,
                allowed = self.run.budget.reserve(question.most) => allowed,
            };
            if !allowed {
                // The budget may still cover cheaper questions.
                self.is_short.store(true, Relaxed);
                if question.probe || !self.run.budget.fits(self.least) {
                    self.run.stop.drain(Error::Budget { reason: String::new() });
                }
                return QuestionOutcome::Deferred;
            }
            let may_lose = counts.allow_loss(&self.run.policy);
            let sent = self.request(question, attempt, &permit, may_lose).await;
            let (answer, record, delivery) = match sent {
                Ok(Some(response)) => response,
                Ok(None) => return QuestionOutcome::Deferred,
                Err(error) => {
                    self.run.stop.drain(error);
                    return QuestionOutcome::Deferred;
                }
            };
            self.monitor.add(&self.run, !question.probe, &answer, record.elapsed_s);
            if let Some(reason) = self.first.add(question.checked.as_deref(), &answer) {
                self.run.stop.drain(Error::Gaps { reason });
            }
            // The decision is made before the permit is released, so that no further request is sent after a
            // refusal that applies to all questions.
            let end = match &answer.outcome {
                Outcome::Failed(failure) => {
                    let info = &answer.rate_limit;
                    let failed = FailedRequest { question, failure, delivery, info };
                    let next = decide(&self.run, &failed, &mut counts);
                    Some((failure.clone(), next))
                }
                Outcome::Unreadable { reason } => {
                    note_unreadable(&self.run, question, reason);
                    None
                }
                _ => {
                    self.run.has_answered.store(true, Relaxed);
                    self.run.breaker.reset();
                    None
                }
            };
            let is_run_at_fault = match &end {
                Some((failure, RetryDecision::Recheck)) => {
                    self.probe_fails(&permit).await.then(|| failure.clone())
                }
                _ => None,
            };
            if let Some(failure) = is_run_at_fault {
                stop_for_similar_failures(&self.run, &failure);
            }
            drop(permit);
            let durable = match self.writer.append(&Record::Outcome(Box::new(record))) {
                Ok(commit) => commit.durable().await,
                Err(error) => Err(error),
            };
            if let Err(error) = durable {
                self.run.stop.drain(error);
                return QuestionOutcome::Deferred;
            }
            match end {
                None => return QuestionOutcome::Answered(question.probe.then(|| Box::new(answer))),
                Some((failure, RetryDecision::GiveUp | RetryDecision::Recheck)) => {
                    return QuestionOutcome::Failed(failure);
                }
                Some((_, RetryDecision::Retry)) => {}
                Some((_, RetryDecision::RetryAfter(wait))) => tokio::select! {
                    biased;
                    () = self.run.stop.draining() => return QuestionOutcome::Deferred,
                    () = tokio::time::sleep(wait) => {}
                },
            }
            self.run.progress.retries.fetch_add(1, Relaxed);
        }
    }

    /// Sends the probe again after many refused questions. Returns whether the probe fails, too.
    async fn probe_fails(&self, permit: &Permit<'_>) -> bool {
        let Some(probe) = &self.probe_again else { return true };
        if !self.run.budget.reserve(probe.most).await {
            return true;
        }
        let attempt = probe.attempts + 2 + self.n_probes_again.fetch_add(1, Relaxed);
        let (answer, record) = match self.request(probe, attempt, permit, false).await {
            Ok(Some((answer, record, _))) => (answer, record),
            Ok(None) => return false,
            Err(error) => {
                self.run.stop.drain(error);
                return false;
            }
        };
        let kept = match self.writer.append(&Record::Outcome(Box::new(record))) {
            Ok(commit) => commit.durable().await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            self.run.stop.drain(error);
        }
        matches!(answer.outcome, Outcome::Failed(_))
    }

    /// Writes the intent of a request to disk, sends the request, and returns the answer and the record of
    /// the outcome. Returns `None` if the run was aborted before the response arrived.
    async fn request(
        &self,
        question: &PreparedQuestion,
        attempt: u32,
        permit: &Permit<'_>,
        may_lose: bool,
    ) -> Result<Option<(Answer, OutcomeRecord, Option<DeliveryStatus>)>> {
        let intent = Intent {
            key: question.key,
            attempt,
            probe: question.probe,
            at: journal::now(),
            task: question.task.clone(),
            item: question.item.clone(),
            replicate: question.replicate,
            reserve_usd: self.run.budget.usd(question.most),
            batch: None,
            path: question.wire.path.clone(),
            body: String::from_utf8_lossy(&question.wire.body).into_owned(),
        };
        let kept = match self.writer.append(&Record::Intent(intent)) {
            Ok(commit) => commit.durable().await,
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            self.run.budget.release(question.most);
            return Err(error);
        }
        // A pause may have begun while the intent was written.
        let go = tokio::select! {
            biased;
            () = self.run.stop.draining() => false,
            () = self.run.limiter.wait_out_pause() => true,
        };
        let sent = Instant::now();
        let reply = if go {
            self.run.progress.sent.fetch_add(1, Relaxed);
            tokio::select! {
                biased;
                () = self.run.stop.aborting() => return Ok(None),
                reply = self.client.send(&question.wire) => reply,
                reply = self.overdue(sent, question, may_lose) => reply,
            }
        } else {
            Reply::not_sent("the run was stopped before the request was sent")
        };
        let delivery = reply.transport_error.as_ref().map(|error| error.delivery);
        let mut record = response_record(&self.run.secrets, question.key, attempt, reply, sent.elapsed());
        record.probe = question.probe;
        let answer = read(&self.run, &mut record);
        let class = if let Outcome::Failed(failure) = &answer.outcome {
            if !go {
                record.class = Some(journal::NOT_ASKED.into());
            }
            Some(&failure.class)
        } else {
            None
        };
        record.possibly_paid = matches!(class, Some(FailureClass::Unknown));
        record.cost_usd = match class {
            None => {
                self.run.latency.add(sent.elapsed(), latency::tokens(&answer));
                charge(&self.run, question.most, &answer, &mut record)
            }
            Some(FailureClass::Unknown) => self.run.budget.charge(question.most, None, None),
            Some(_) => {
                self.run.budget.release(question.most);
                None
            }
        };
        if let Some(usd) = self.run.budget.spent_usd() {
            self.run.progress.spent_micro_usd.store((usd * 1e6) as u64, Relaxed);
        }
        report_to_limiter(&self.run, question, permit, class, go, &answer.rate_limit);
        Ok(Some((answer, record, delivery)))
    }

    /// Returns when a request takes too long compared with earlier answers; never returns if `may_lose` is
    /// false. Reports once per run if a server on this machine is slow.
    async fn overdue(&self, sent: Instant, question: &PreparedQuestion, may_lose: bool) -> Reply {
        let (max_tokens, is_local) = (question.most.max_tokens(), self.client.is_local());
        loop {
            tokio::time::sleep(latency::INTERVAL).await;
            let limit = self.run.latency.limit(max_tokens, is_local);
            if let Some(limit) = limit.filter(|limit| may_lose && sent.elapsed() > *limit) {
                return Reply::overdue(limit);
            }
            if is_local && sent.elapsed() > latency::SLOW {
                self.run.say_once(
                    "slow",
                    &format!(
                        "{}: an answer of up to {max_tokens} tokens takes more than {} s; a lower \
                         --max-tokens ends long answers sooner, a lower --concurrency shortens the queue of \
                         the server, and --timeout-s limits the time of a request",
                        self.run.endpoint,
                        latency::SLOW.as_secs()
                    ),
                );
            }
        }
    }
}
