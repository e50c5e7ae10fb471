//! Provides helpers for the other batch modules, which write the records of a batch and the outcomes of its
//! requests.

use std::path::Path;

use crate::collect::budget::ledger::Budget;
use crate::collect::budget::reservation::Reservation;
use crate::collect::client::worker::Worker;
use crate::collect::journal::{
    self, BatchIntent, BatchRecord, BatchStage, Commit, Index, Intent, JournalReader, OpenBatch,
    OutcomeRecord, QuestionKey, Record,
};
use crate::collect::plan::Plan;
use crate::collect::results::replay::most_tokens;
use crate::error::Result;
use crate::provider::batch::BatchWire;

/// Number of queued records after which [`Commits::add`] waits until all of them are durable.
const MOST_COMMITS: usize = 1024;

/// The data that all modules of a run in batches use.
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

impl Context<'_> {
    /// The name of the endpoint in the journal: provider and base URL.
    pub(super) fn endpoint(&self) -> String {
        format!("{} {}", self.plan.provider.name(), self.worker.run.endpoint)
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
        reservation(&self.worker.run.budget, intent)
    }

    /// Ends a batch whose open requests were not processed, so that their questions count as not asked. `why`
    /// returns the reason for each request.
    pub(super) async fn withdraw(
        &self,
        held: &mut Held,
        end: &str,
        why: impl Fn(&QuestionKey) -> String,
    ) -> Result<()> {
        let outcome = |intent: &BatchIntent, _: Option<f64>| {
            OutcomeRecord::not_asked(intent.key, intent.attempt, &why(&intent.key))
        };
        self.close(held, false, outcome).await?;
        self.end(&mut held.batch, end).await
    }

    /// For every creation attempt after the first, books all requests of a batch as possibly billed once
    /// more, because an attempt without a clear answer may have succeeded.
    pub(super) async fn book_attempts(&self, held: &Held) -> Result<()> {
        for n in 1..held.batch.n_submitted {
            self.book_again(held, n, "another attempt to create the batch had no clear answer").await?;
        }
        Ok(())
    }

    /// Books all requests of a batch as possibly billed once more, for the `n`-th creation attempt after the
    /// first.
    pub(super) async fn book_again(&self, held: &Held, n: u32, why: &str) -> Result<()> {
        let budget = &self.worker.run.budget;
        let index = Index::read(self.journal.parent().unwrap_or(Path::new(".")))?;
        let mut reader = JournalReader::open(self.journal)?;
        let mut commits = Commits::default();
        // Skips requests that an earlier run booked before it ended.
        let is_booked = |intent: &&BatchIntent| index.attempts(&intent.key) >= intent.attempt + n;
        for intent in held.intents.iter().filter(|intent| !is_booked(intent)) {
            let usd = self.intent(&mut reader, intent)?.and_then(|sent| {
                let reserve = self.reservation(&sent);
                budget.hold(reserve);
                budget.charge(reserve, None, None)
            });
            let lost = OutcomeRecord::crashed(intent.key, intent.attempt + n, false, usd);
            let (error, batch) = (Some(why.to_owned()), Some(held.batch.name.clone()));
            let lost = OutcomeRecord { crashed: false, error, batch, ..lost };
            commits.add(self.worker.writer.append(&Record::Outcome(Box::new(lost)))?).await?;
        }
        commits.durable().await
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

    /// Writes the outcomes of the open requests of a batch. If `is_paid`, their reserved cost counts as
    /// spent; otherwise it is released.
    pub(super) async fn close(
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

    /// Writes the record that a batch has ended. By then, every request of the batch has an outcome.
    pub(super) async fn end(&self, batch: &mut OpenBatch, end: &str) -> Result<()> {
        let name = batch.name.clone();
        let ended = BatchRecord::new(&name, journal::now(), BatchStage::Ended);
        self.note(batch, BatchRecord { end: Some(end.into()), ..ended }).await
    }
}

/// The amount that is reserved for a request in a batch. If no price was known when the batch was prepared,
/// returns the maximum cost at the present price.
pub(super) fn reservation(budget: &Budget, intent: &Intent) -> Reservation {
    // The bytes of the body bound the number of prompt tokens, because a token has at least one byte.
    let (prompt, completion) = (intent.body.len() as u64, most_tokens(&intent.body).unwrap_or(0));
    match intent.reserve_usd {
        Some(usd) => budget.restored(usd, prompt, completion),
        None => budget.max_batch_cost(prompt, completion),
    }
}

/// Journal records that are not yet known to be durable, at most [`MOST_COMMITS`].
#[derive(Debug, Default)]
pub(super) struct Commits(Vec<Commit>);

impl Commits {
    pub(super) async fn add(&mut self, commit: Commit) -> Result<()> {
        self.0.push(commit);
        if self.0.len() >= MOST_COMMITS { self.durable().await } else { Ok(()) }
    }

    /// Waits until all records are durable.
    pub(super) async fn durable(&mut self) -> Result<()> {
        for commit in self.0.drain(..) {
            commit.durable().await?;
        }
        Ok(())
    }
}
