//! Reads the results of a batch, and writes the outcome of every processed request. Results may arrive in any
//! order, be duplicated, have unknown ids, or be truncated. The first outcome that is written for a request
//! is final.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::calls::CallFault;
use super::context::{Commits, Context, Held};
use crate::collect::client::http::Reply;
use crate::collect::client::received::{charge, read};
use crate::collect::client::response_record::response_record;
use crate::collect::journal::{BatchIntent, JournalReader, OutcomeRecord, QuestionKey, Record, as_storage};
use crate::disk;
use crate::error::{Error, Result};
use crate::provider::batch::{BatchCall, BatchEnd, BatchResult, BatchStatus, ResultKind};
use crate::provider::{FailureClass, Headers, Outcome, json};

/// Number of results of each kind in one download.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) n_ours: u64,
    pub(super) n_duplicate: u64,
    pub(super) n_unknown: u64,
    pub(super) n_unreadable: u64,
}

/// The requests of a batch while its results are read.
pub(super) struct Reading<'a> {
    context: &'a Context<'a>,
    batch: String,
    reader: JournalReader,
    pub(super) commits: Commits,
    /// The requests without an outcome.
    left: HashMap<QuestionKey, BatchIntent>,
    all: HashSet<QuestionKey>,
    /// The requests that already had an outcome before the first download.
    closed: HashSet<QuestionKey>,
    /// The requests whose results this download contained.
    seen: HashSet<QuestionKey>,
    /// The requests with a readable result, in any download.
    processed: HashSet<QuestionKey>,
    /// The requests with an unreadable result and no readable result. They may have been processed.
    unreadable: HashSet<QuestionKey>,
    /// The requests whose results state that they were not processed, with the reasons. Their outcomes are
    /// written last, because another result file may still contain their answers.
    unprocessed: HashMap<QuestionKey, String>,
    pub(super) counts: Counts,
    /// Number of answers in all downloads together.
    pub(super) n_answered: u64,
}

/// The result of a download.
pub(super) enum Download {
    /// Results were read. `is_whole` states whether the file arrived completely.
    Read { is_whole: bool },
    /// The server no longer has the results.
    Gone(String),
    /// The server refuses to send the results.
    Refused(String),
    /// The run is ending, and the reason is stored in `run.stop`.
    Stopped,
}

impl<'a> Reading<'a> {
    pub(super) fn new(context: &'a Context<'a>, held: &Held) -> Result<Self> {
        let left: HashMap<_, _> = held.open.iter().map(|intent| (intent.key, *intent)).collect();
        let all: HashSet<QuestionKey> = held.intents.iter().map(|intent| intent.key).collect();
        Ok(Self {
            context,
            batch: held.batch.name.clone(),
            reader: JournalReader::open(context.journal)?,
            commits: Commits::default(),
            closed: all.iter().filter(|key| !left.contains_key(key)).copied().collect(),
            left,
            all,
            seen: HashSet::new(),
            processed: HashSet::new(),
            unreadable: HashSet::new(),
            unprocessed: HashMap::new(),
            counts: Counts::default(),
            n_answered: 0,
        })
    }

    /// Starts another download of the results.
    pub(super) fn begin(&mut self) {
        self.counts = Counts::default();
        self.seen.clear();
    }

    /// Whether every request has an outcome.
    pub(super) fn is_complete(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether no download contained the result of a processed request.
    pub(super) fn has_nothing(&self) -> bool {
        self.processed.is_empty()
    }

    /// Number of requests that have neither an outcome nor a result which states that they were not
    /// processed.
    pub(super) fn n_without_result(&self) -> u64 {
        self.left.keys().filter(|key| !self.unprocessed.contains_key(key)).count() as u64
    }

    /// The server's count of processed requests; `None` if the server gives no count, or a count below the
    /// number of results.
    pub(super) fn n_stated(&self, status: &BatchStatus) -> Option<u64> {
        status.n_done.filter(|n_done| *n_done >= self.processed.len() as u64)
    }

    /// Number of requests that were processed, judging by their results or by outcomes from earlier runs.
    pub(super) fn n_processed(&self) -> u64 {
        // An outcome from an earlier run may state that the request was not processed.
        let is_processed = |key: &&QuestionKey| {
            self.processed.contains(key) || (self.closed.contains(key) && !self.unprocessed.contains_key(key))
        };
        self.all.iter().filter(is_processed).count() as u64
    }

    /// Number of requests that may have been processed and billed although no download contained their
    /// results.
    pub(super) fn n_missing(&self, status: &BatchStatus, end: BatchEnd) -> u64 {
        let n_without = self.n_without_result();
        let has_results = !self.has_nothing() || !self.unreadable.is_empty();
        let n_missing = match (end, self.n_stated(status)) {
            // A completed batch has processed all its requests.
            (BatchEnd::Completed, _) => n_without,
            (_, Some(n_done)) => n_done.saturating_sub(self.n_processed()).max(self.unreadable.len() as u64),
            // The provider refused the batch as a whole.
            (BatchEnd::Failed, None) if !has_results => 0,
            // A readable document is complete: it contains the results of all processed requests.
            (_, None) if self.context.wire.document().is_some() && has_results && !self.is_damaged() => 0,
            // A file with one result per line may be truncated after any line, which cannot be detected.
            (_, None) => n_without,
        };
        n_missing.min(n_without)
    }

    /// Whether this download had unreadable results.
    pub(super) fn is_damaged(&self) -> bool {
        self.counts.n_unreadable > 0
    }

    /// Splits the requests without an outcome into `n_missing` requests that may have been processed, and
    /// requests that were not processed.
    pub(super) fn open(
        &self,
        intents: &[BatchIntent],
        n_missing: u64,
    ) -> (Vec<BatchIntent>, Vec<BatchIntent>) {
        let mut open: Vec<BatchIntent> =
            intents.iter().filter(|intent| self.left.contains_key(&intent.key)).copied().collect();
        open.sort_by_key(|BatchIntent { key, .. }| {
            (self.unprocessed.contains_key(key), !self.unreadable.contains(key))
        });
        let rest = open.split_off(open.len().min(n_missing as usize));
        (open, rest)
    }

    /// The reason why a request was not processed, if its result states the reason.
    pub(super) fn why(&self, key: &QuestionKey) -> Option<&str> {
        self.unprocessed.get(key).map(String::as_str)
    }

    /// Downloads one file of results and writes an outcome for each result.
    pub(super) async fn download(&mut self, call: &BatchCall, intents: &[BatchIntent]) -> Result<Download> {
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
            // The last line of a truncated file is skipped, because it could parse as valid but shortened
            // JSON, such as a number without its last digits.
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
        // If no result has an id and no result is missing, results are matched to requests by position.
        let is_in_order = results.len() == intents.len() && results.iter().all(|result| result.id.is_none());
        for (n, mut result) in results.into_iter().enumerate() {
            if is_in_order {
                result.id = Some(intents[n].key.to_string());
            }
            self.add(result).await?;
        }
        Ok(())
    }

    /// Writes the outcome of a request, unless the request already has one.
    async fn add(&mut self, result: BatchResult) -> Result<()> {
        let key = result.id.as_deref().and_then(QuestionKey::parse).filter(|key| self.all.contains(key));
        let Some(key) = key else {
            // A result without an id may belong to any request of the batch.
            match result.id {
                Some(_) => self.counts.n_unknown += 1,
                None => self.counts.n_unreadable += 1,
            }
            return Ok(());
        };
        self.counts.n_ours += 1;
        let run = &self.context.worker.run;
        let is_repeated = !self.seen.insert(key);
        let (status, body, request_id) = match result.kind {
            ResultKind::Unprocessed { why } => {
                self.counts.n_duplicate += u64::from(is_repeated);
                if !self.processed.contains(&key) {
                    let why = run.secrets.redact_text(&why).into_owned();
                    self.unprocessed.entry(key).or_insert(why);
                }
                return Ok(());
            }
            ResultKind::Unreadable => {
                self.counts.n_unreadable += 1;
                if !self.processed.contains(&key) {
                    self.unreadable.insert(key);
                }
                return Ok(());
            }
            ResultKind::Response { status, body, request_id } => (status, body, request_id),
        };
        self.counts.n_duplicate += u64::from(is_repeated);
        // An earlier download or run may have written the outcome.
        let record = match self.left.get(&key).copied() {
            None => None,
            Some(intent) => match self.outcome(&intent, status, body, request_id)? {
                Some(record) => Some(record),
                None => {
                    self.counts.n_unreadable += 1;
                    return Ok(());
                }
            },
        };
        self.processed.insert(key);
        self.unreadable.remove(&key);
        self.unprocessed.remove(&key);
        self.left.remove(&key);
        let Some(record) = record else { return Ok(()) };
        run.progress.done.fetch_add(1, Relaxed);
        match record.outcome.as_str() {
            "failed" => drop(run.progress.failed.fetch_add(1, Relaxed)),
            _ => self.n_answered += 1,
        }
        if let Some(usd) = run.budget.spent_usd() {
            run.progress.spent_micro_usd.store((usd * 1e6) as u64, Relaxed);
        }
        self.commits.add(self.context.worker.writer.append(&Record::Outcome(Box::new(record)))?).await
    }

    /// The outcome of a processed request; `None` if the journal record of the request cannot be read.
    fn outcome(
        &mut self,
        intent: &BatchIntent,
        status: u16,
        body: String,
        request_id: Option<String>,
    ) -> Result<Option<OutcomeRecord>> {
        let run = &self.context.worker.run;
        let Some(sent) = self.context.intent(&mut self.reader, intent)? else { return Ok(None) };
        let headers = Headers::new(request_id.map(|id| ("x-request-id", id)));
        let reply = Reply { status: Some(status), headers, body: body.into_bytes(), ..Reply::default() };
        let record = response_record(&run.secrets, intent.key, intent.attempt, reply, Duration::ZERO);
        let mut record = OutcomeRecord { batch: Some(self.batch.clone()), ..record };
        let answer = read(run, &mut record);
        let reserve = self.context.reservation(&sent);
        // A failed request in a batch is never billed. So an error for which billing is unknown outside a
        // batch is recorded as a rejection.
        if let Outcome::Failed(failure) = &answer.outcome {
            run.budget.release(reserve);
            if failure.class == FailureClass::Unknown {
                record.class = Some(FailureClass::Rejected.name().into());
            }
        } else {
            record.cost_usd = charge(run, reserve, &answer, &mut record);
        }
        self.context.worker.monitor.add(run, false, &answer, record.elapsed_s);
        Ok(Some(record))
    }

    /// Prints messages about duplicate, unknown and unreadable results.
    pub(super) fn report(&self, id: &str) {
        let Counts { n_duplicate, n_unknown, n_unreadable, .. } = self.counts;
        for (n, what) in [
            (n_duplicate, "result(s) that occur twice; the first one is used"),
            (n_unknown, "result(s) for requests that are not in this batch; they are ignored"),
            (n_unreadable, "result(s) that cannot be read"),
        ] {
            if n > 0 {
                self.context.worker.run.progress.say(&format!("batch {id} has {n} {what}"));
            }
        }
    }
}
