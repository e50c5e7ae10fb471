//! Downloads the results of a batch and writes the outcome of every request. Results may come in any order,
//! twice, with unknown ids, or truncated. A written outcome counts, and no outcome is written twice.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::context::{CallFault, Commits, Context, Held, Repeat};
use super::twins::book_twins;
use crate::collect::client::http::Reply;
use crate::collect::client::received::{charge, read};
use crate::collect::client::response_record::response_record;
use crate::collect::journal::{
    BatchIntent, BatchStage, JournalReader, NOT_ASKED, OutcomeRecord, QuestionKey, Record, as_storage,
};
use crate::disk;
use crate::error::{Error, Result};
use crate::provider::batch::{BatchCall, BatchEnd, BatchResult, BatchStatus, ResultKind};
use crate::provider::{FailureClass, Headers, Outcome, json};

/// The result of a batch that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// Every request has an outcome.
    All {
        /// Number of requests with an answer.
        n_answered: u64,
    },
    /// The batch is not ours: its results belong to other requests.
    Foreign,
    /// The results cannot be fetched, for this reason. The batch stays open.
    Fault(String),
    /// The run ends, and the reason is stored.
    Stopped,
}

/// What a user can do about results that cannot be fetched.
pub(super) const ABANDON: &str = "--cancel abandons them, and the requests then count as possibly billed";

/// Numbers of results in one download, by kind.
#[derive(Debug, Default)]
struct Counts {
    n_ours: u64,
    n_answered: u64,
    n_unprocessed: u64,
    n_duplicate: u64,
    n_unknown: u64,
    n_unreadable: u64,
}

/// The requests of a batch while its results are read.
struct Reading<'a> {
    context: &'a Context<'a>,
    batch: String,
    reader: JournalReader,
    commits: Commits,
    /// The requests without an outcome.
    left: HashMap<QuestionKey, BatchIntent>,
    all: HashSet<QuestionKey>,
    /// The requests whose results were in this download.
    seen: HashSet<QuestionKey>,
    counts: Counts,
}

/// The result of a download.
enum Download {
    /// Results were read, from the whole file or from a part.
    Read { is_whole: bool },
    /// The server no longer has the results.
    Gone(String),
    /// The server refuses the results.
    Refused(String),
    /// The run ends, and the reason is stored.
    Stopped,
}

/// Fetches the results of a batch that has ended. If `is_giving_up`, results that are gone are given up.
/// `others` are ids of batches that are known not to be this one.
pub(super) async fn take(
    context: &Context<'_>,
    held: &mut Held,
    (status, end): (&BatchStatus, BatchEnd),
    others: &[String],
    is_giving_up: bool,
) -> Result<Taken> {
    let run = &context.worker.run;
    let mut status = status.clone();
    let mut reading = Reading {
        context,
        batch: held.batch.name.clone(),
        reader: JournalReader::open(context.journal)?,
        commits: Commits::default(),
        left: held.open.iter().map(|intent| (intent.key, *intent)).collect(),
        all: held.intents.iter().map(|intent| intent.key).collect(),
        seen: HashSet::new(),
        counts: Counts::default(),
    };
    let (mut n_answered, mut n_unprocessed, mut n) = (0, 0, 0);
    // If an earlier run ended after it had written the last outcome, there is nothing to fetch.
    while !reading.left.is_empty() || n > 0 {
        reading.counts = Counts::default();
        reading.seen.clear();
        let mut is_whole = true;
        for call in context.wire.results(&status) {
            match reading.download(&call, &held.intents).await? {
                Download::Read { is_whole: whole } => is_whole &= whole,
                Download::Stopped => return Ok(Taken::Stopped),
                Download::Gone(message) | Download::Refused(message) if is_giving_up => {
                    reading.commits.durable().await?;
                    held.open = reading.open(&held.intents);
                    run.progress.say(&format!(
                        "the results of batch {} cannot be fetched ({message}); its {} open requests count \
                         as possibly billed",
                        status.id,
                        held.open.len()
                    ));
                    context.give_up(held, "lost", "the results of the batch cannot be fetched").await?;
                    return Ok(Taken::All { n_answered });
                }
                Download::Gone(message) => {
                    return Ok(Taken::Fault(format!(
                        "the results of batch {} are gone ({message}); {ABANDON}",
                        status.id
                    )));
                }
                Download::Refused(message) => {
                    return Ok(Taken::Fault(format!(
                        "the results of batch {} cannot be fetched ({message}); {ABANDON}",
                        status.id
                    )));
                }
            }
        }
        reading.commits.durable().await?;
        n_answered += reading.counts.n_answered;
        n_unprocessed += reading.counts.n_unprocessed;
        let is_cut = !is_whole || reading.counts.n_unreadable > 0;
        // A batch that expired or was cancelled may also have answers: its counts say how many.
        let misses_some = !reading.left.is_empty() && status.n_done > Some(reading.seen.len() as u64);
        let lacks_some = misses_some || (!reading.left.is_empty() && end == BatchEnd::Completed);
        if held.batch.is_guess && reading.counts.n_ours == 0 && reading.counts.n_unknown > 0 {
            run.progress.say(&format!(
                "batch {} does not belong to this folder; surmise searches for the right batch again",
                status.id
            ));
            context.note_stage(&mut held.batch, BatchStage::Foreign, Some(&status.id)).await?;
            return Ok(Taken::Foreign);
        }
        if (!is_cut && !lacks_some) || (reading.left.is_empty() && is_whole) {
            break;
        }
        if n >= run.policy.retries {
            // The server may provide more results later, and they are billed.
            let has_no_file = end == BatchEnd::Completed && status.n_done != Some(0);
            let has_no_file = has_no_file && context.wire.results(&status).is_empty();
            let may_come = (misses_some || has_no_file) && !is_giving_up;
            if reading.left.is_empty() || (is_whole && !may_come) {
                break;
            }
            let what = if is_whole { "lack some requests" } else { "cannot be downloaded completely" };
            let hint = if is_whole { "; --cancel abandons them" } else { "" };
            return Ok(Taken::Fault(format!(
                "the results of batch {} {what}; {} of {} requests have an outcome: run the same command \
                 again{hint}",
                status.id,
                held.batch.n - reading.left.len() as u64,
                held.batch.n
            )));
        }
        if n == 0 {
            let why = if is_cut { "are truncated or damaged" } else { "lack some requests" };
            run.progress.say(&format!("the results of batch {} {why}; they are fetched again", status.id));
        }
        context.pause(n, None).await;
        if run.stop.is_draining() {
            return Ok(Taken::Stopped);
        }
        // The id of the result file may appear after the batch has ended.
        if context.wire.document().is_none()
            && let Ok(value) = context.call(&context.wire.poll(&status.id), Repeat::Always).await
            && let Some(now) = context.wire.read(&value).filter(|now| now.end == Some(end))
        {
            status = now;
        }
        n += 1;
    }
    reading.report(&status.id);
    let was_cut = reading.counts.n_unreadable > 0;
    held.open = reading.open(&held.intents);
    if held.batch.n_submitted > 1 && !book_twins(context, held, &status, others).await? {
        return Ok(Taken::Stopped);
    }
    // If a batch ended early, the requests beyond its count of processed requests are not billed.
    let n_left = held.open.len() as u64;
    let n_lost = match end {
        BatchEnd::Completed => n_left,
        _ => reading.n_unseen(&status).unwrap_or(if was_cut { n_left } else { 0 }).min(n_left),
    };
    n_unprocessed += n_left - n_lost;
    if n_unprocessed > 0 {
        run.progress.say(&format!(
            "batch {} {}: {n_unprocessed} of {} requests were not processed and are not billed",
            status.id,
            if end == BatchEnd::Cancelled { "was cancelled" } else { end.name() },
            held.batch.n
        ));
    }
    let unprocessed = held.open.split_off(n_lost as usize);
    if n_lost > 0 {
        run.progress.say(&format!(
            "batch {} has no result for {n_lost} of its requests, which count as possibly billed",
            status.id
        ));
        context.book_lost(held, "the batch has no result for this request").await?;
    }
    held.open = unprocessed;
    let why = format!("the batch {} before the request was processed", end.name());
    context.withdraw(held, end.name(), &why).await?;
    Ok(Taken::All { n_answered })
}

impl Reading<'_> {
    /// Number of requests that the server counts as processed and that have no outcome.
    fn n_unseen(&self, status: &BatchStatus) -> Option<u64> {
        let n_closed = self.all.len().saturating_sub(self.left.len()) as u64;
        Some(status.n_done?.saturating_sub(n_closed))
    }

    /// The requests without an outcome, in order.
    fn open(&self, intents: &[BatchIntent]) -> Vec<BatchIntent> {
        intents.iter().filter(|intent| self.left.contains_key(&intent.key)).copied().collect()
    }

    /// Receives one file of results and writes the outcomes in it.
    async fn download(&mut self, call: &BatchCall, intents: &[BatchIntent]) -> Result<Download> {
        let (run, client) = (&self.context.worker.run, &self.context.worker.client);
        let fault = |source| as_storage(Error::Write { path: std::env::temp_dir(), source });
        let mut file = tempfile::tempfile().map_err(fault)?;
        let reply = tokio::select! {
            biased;
            () = run.stop.aborting() => return Ok(Download::Stopped),
            reply = client.download(call, &mut file) => reply,
        };
        let is_success = reply.status.is_some_and(|status| (200..300).contains(&status));
        if reply.transport_error.is_none() && !is_success {
            return Ok(match self.context.fault(&reply) {
                CallFault::Stopped { .. } => Download::Stopped,
                CallFault::Late | CallFault::Unclear(_) => Download::Read { is_whole: false },
                CallFault::Missing(why) => Download::Gone(why),
                CallFault::TooLarge(why) | CallFault::Refused(why) => Download::Refused(why),
            });
        }
        let is_whole = is_success && reply.transport_error.is_none();
        file.rewind().map_err(fault)?;
        match self.context.wire.document() {
            Some(list) => self.add_document(file, list, intents, is_whole).await?,
            None => self.add_lines(file, is_whole).await?,
        }
        Ok(Download::Read { is_whole })
    }

    async fn add_lines(&mut self, file: File, is_whole: bool) -> Result<()> {
        let fault = |source| as_storage(Error::Read { path: std::env::temp_dir(), source });
        let (mut lines, mut line) = (BufReader::with_capacity(1 << 20, file), vec![]);
        loop {
            line.clear();
            if disk::read_line(&mut lines, &mut line).map_err(fault)? == 0 {
                return Ok(());
            }
            // The end of a truncated file could be read as a shorter number, so it is skipped.
            if (!is_whole && !line.ends_with(b"\n")) || line.trim_ascii().is_empty() {
                continue;
            }
            match json::parse(&line) {
                Ok(value) => self.add(self.context.wire.read_result(&value)).await?,
                Err(_) => self.counts.n_unreadable += 1,
            }
        }
    }

    async fn add_document(
        &mut self,
        mut file: File,
        list: fn(serde_json::Value) -> Vec<serde_json::Value>,
        intents: &[BatchIntent],
        is_whole: bool,
    ) -> Result<()> {
        let fault = |source| as_storage(Error::Read { path: std::env::temp_dir(), source });
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).map_err(fault)?;
        let Some(value) = json::read(&bytes).ok().filter(|_| is_whole) else {
            self.counts.n_unreadable += 1;
            return Ok(());
        };
        let results: Vec<BatchResult> =
            list(value).iter().map(|result| self.context.wire.read_result(result)).collect();
        // If no result has an id and none is missing, results are matched by position.
        let is_in_order = results.len() == intents.len() && results.iter().all(|result| result.id.is_none());
        for (n, mut result) in results.into_iter().enumerate() {
            if is_in_order {
                result.id = Some(intents[n].key.to_string());
            }
            self.add(result).await?;
        }
        Ok(())
    }

    /// Writes the outcome of a request, unless it has one.
    async fn add(&mut self, result: BatchResult) -> Result<()> {
        let key = result.id.as_deref().and_then(QuestionKey::parse).filter(|key| self.all.contains(key));
        let Some(key) = key else {
            // A result without an id may belong to any request.
            match result.id {
                Some(_) => self.counts.n_unknown += 1,
                None => self.counts.n_unreadable += 1,
            }
            return Ok(());
        };
        self.counts.n_ours += 1;
        if !self.seen.insert(key) {
            self.counts.n_duplicate += 1;
            return Ok(());
        }
        // An earlier download or run may have written the outcome.
        let Some(intent) = self.left.get(&key).copied() else { return Ok(()) };
        let Some(record) = self.outcome(&intent, result.kind)? else {
            self.counts.n_unreadable += 1;
            return Ok(());
        };
        let run = &self.context.worker.run;
        self.left.remove(&key);
        run.progress.done.fetch_add(1, Relaxed);
        if record.class.as_deref() == Some(NOT_ASKED) {
            self.counts.n_unprocessed += 1;
        }
        match record.outcome.as_str() {
            "failed" => drop(run.progress.failed.fetch_add(1, Relaxed)),
            _ => self.counts.n_answered += 1,
        }
        if let Some(usd) = run.budget.spent_usd() {
            run.progress.spent_micro_usd.store((usd * 1e6) as u64, Relaxed);
        }
        self.commits.add(self.context.worker.writer.append(&Record::Outcome(Box::new(record)))?).await
    }

    /// The outcome of a request; `None` if its result cannot be read.
    fn outcome(&mut self, intent: &BatchIntent, kind: ResultKind) -> Result<Option<OutcomeRecord>> {
        let run = &self.context.worker.run;
        let Some(sent) = self.context.intent(&mut self.reader, intent)? else { return Ok(None) };
        let batch = Some(self.batch.clone());
        Ok(match kind {
            ResultKind::Unreadable => None,
            ResultKind::Unprocessed { why } => {
                run.budget.release(self.context.reservation(&sent));
                let why = run.secrets.redact_text(&why).into_owned();
                Some(OutcomeRecord { batch, ..OutcomeRecord::not_asked(intent.key, intent.attempt, &why) })
            }
            ResultKind::Response { status, body, request_id } => {
                let headers = Headers::new(request_id.map(|id| ("x-request-id", id)));
                let reply =
                    Reply { status: Some(status), headers, body: body.into_bytes(), ..Reply::default() };
                let record = response_record(&run.secrets, intent.key, intent.attempt, reply, Duration::ZERO);
                let mut record = OutcomeRecord { batch, ..record };
                let answer = read(run, &mut record);
                let reserve = self.context.reservation(&sent);
                // Failed requests in a batch are certainly not billed, even if the same error is unclear
                // outside a batch.
                if let Outcome::Failed(failure) = &answer.outcome {
                    run.budget.release(reserve);
                    if failure.class == FailureClass::Unknown {
                        record.class = Some(FailureClass::Rejected.name().into());
                    }
                } else {
                    record.cost_usd = charge(run, reserve, &answer, &mut record);
                }
                self.context.worker.monitor.add(run, false, &answer, record.elapsed_s);
                Some(record)
            }
        })
    }

    /// Reports what was wrong with the results.
    fn report(&self, id: &str) {
        let Counts { n_duplicate, n_unknown, n_unreadable, .. } = self.counts;
        for (n, what) in [
            (n_duplicate, "result(s) that occur twice; the first counts"),
            (n_unknown, "result(s) for requests that are not in this batch; they are ignored"),
            (n_unreadable, "result(s) that cannot be read"),
        ] {
            if n > 0 {
                self.context.worker.run.progress.say(&format!("batch {id} has {n} {what}"));
            }
        }
    }
}
