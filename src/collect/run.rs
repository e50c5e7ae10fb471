//! Runs a collection: reads the journal, sends a probe and all pending questions, and writes the scores.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::batch::{self, BatchSettings};
use super::budget::ledger::Budget;
use super::budget::price::Price;
use super::client::answer_monitor::AnswerMonitor;
use super::client::breaker::Breaker;
use super::client::http::Client;
use super::client::in_process::InProcess;
use super::client::latency::Latency;
use super::client::limiter::Limiter;
use super::client::retry_policy::RetryPolicy;
use super::client::run_context::RunContext;
use super::client::stop::Stop;
use super::client::worker::Worker;
use super::configuration::Configuration;
use super::first_answers::{FirstAnswers, before_batches};
use super::journal::{Index, Journal};
use super::plan::{Pending, Plan, RedoSelection};
use super::progress::Progress;
use super::results::check::{Hints, Tolerated};
use super::results::replay;
use super::results::replay::FolderSummary;
use super::secrets::Secrets;
use super::tasks::Rendering;
use super::{dispatch, probe, recovery};
use crate::error::{Error, Result};
use crate::machine;
use crate::provider::KeyHeader;

/// A collection: the questions, the folder, and how requests are sent.
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    /// What is asked and how it is graded.
    pub configuration: Configuration,
    /// Whether the folder may contain answers to another configuration.
    pub new_config: bool,
    /// Selects which questions that have an outcome are asked again.
    pub redo: RedoSelection,
    /// Whether parameters that the model does not support are omitted or lowered.
    pub adapt: bool,
    /// Problems of the answers that do not end the run.
    pub tolerated: Tolerated,
    /// Concurrency, retries and backoff.
    pub policy: RetryPolicy,
    /// Timeout of a request.
    pub timeout: Duration,
    /// Price of the model.
    pub price: Option<Price>,
    /// Maximum amount to spend, summed over all runs into this folder.
    pub cap_usd: Option<f64>,
    /// Settings of batches; `None` to send each question individually.
    pub batch: Option<BatchSettings>,
    /// HTTP header for the key; `None` for the default header of the wire format.
    pub key_header: Option<KeyHeader>,
    /// File of certificates to trust in addition to the certificates of the system.
    pub ca_cert: Option<PathBuf>,
    /// The server, if it runs in this process.
    pub in_process: Option<Arc<dyn InProcess>>,
    /// Whether the caller ensures that no other process uses the folder, even if the file system does not
    /// support locks.
    pub is_claimed: bool,
    /// Whether records are synced to disk before they count. Turn this off only to measure the cost of
    /// syncing.
    pub durable: bool,
}

/// How a run ended.
pub struct RunResult {
    /// Summary of the folder.
    pub summary: FolderSummary,
    /// The reason why the run ended early; `None` if it completed.
    pub early: Option<Error>,
}

impl Run {
    /// Asks all pending questions and writes the scores. If no question is pending, no key is needed.
    ///
    /// # Errors
    /// Returns errors that occur before a question is asked. If the run ends early after that, [`RunResult`]
    /// contains the reason.
    pub fn collect(
        mut self,
        mut secrets: Result<Arc<Secrets>>,
        progress: &Arc<Progress>,
        interrupt: impl Fn(Arc<Stop>) + Send + 'static,
    ) -> Result<RunResult> {
        self.configuration.check_apart(&self.folder)?;
        let tasks = self.configuration.load_tasks()?;
        let mut plan = self.configuration.plan(tasks)?;
        if self.batch.is_some() {
            plan.check_batches()?;
        }
        // The run writes nothing if a setting or an item contains the key, and creates no journal if there is
        // no key.
        if let Ok(secrets) = &secrets {
            self.check_content(&plan, secrets)?;
        }
        if !self.folder.join("journal.jsonl").is_file() {
            secrets = Ok(secrets?);
        }
        let fallback_writer = recovery::fallback_writer(progress.clone(), self.folder.clone());
        let mut journal = Journal::open(&self.folder, (self.durable, self.is_claimed), fallback_writer)?;
        if let Some(torn) = &journal.torn {
            progress.say(&format!(
                "1 incomplete record moved to {}; an earlier run ended while it wrote the record",
                torn.display()
            ));
        }
        let runtime = machine::runtime(None);
        let runtime = runtime.map_err(|source| Error::Storage { path: self.folder.clone(), source })?;
        let is_known = self.configuration.reconcile(&journal.index, &self.folder, self.new_config)?;
        plan = self.configuration.plan(plan.tasks)?;
        let writer = journal.writer();
        if !is_known {
            runtime.block_on(writer.append(&self.configuration.record()?)?.durable())?;
        }
        runtime.block_on(recovery::close_open(&mut journal, progress))?;
        let pending = plan.pending(&journal.index, &self.redo)?;
        let mut early = None;
        if self.batch.is_some_and(|batch| batch.cancel) && journal.index.batches.is_empty() {
            progress.say("the folder has no open batch, so there is nothing to cancel");
        }
        let asks = !pending.questions.is_empty() && self.batch.is_none_or(|batch| !batch.cancel);
        if asks || !journal.index.batches.is_empty() {
            let secrets = secrets?;
            let stop = Arc::new(Stop::default());
            interrupt(stop.clone());
            let worker = self.worker(&plan, &journal, secrets, stop, progress)?;
            early = runtime.block_on(self.ask_all(&mut plan, pending, &mut journal, worker))?;
            // An aborted run does not wait for its requests in flight.
            runtime.shutdown_background();
        }
        drop(writer);
        journal.close();
        let summary = replay::write(&self.folder, &self.configuration, &plan)?;
        if early.is_none() {
            let reason = summary.check.finding(self.tolerated(), self.hints(&plan));
            early = reason.map(|reason| Error::Gaps { reason });
        }
        Ok(RunResult { summary, early })
    }

    /// Returns an error if a setting or an item contains the key, because settings and items are stored.
    fn check_content(&self, plan: &Plan, secrets: &Secrets) -> Result<()> {
        let content = &self.configuration;
        secrets.check_url(&content.base_url)?;
        let refuse = |name: &'static str, what: &str| {
            Err(Error::Parameter {
                name,
                reason: format!("{what} contains the key and would be stored; remove it"),
            })
        };
        let folder = self.folder.display().to_string();
        let snapshot = self.policy.model_snapshot.iter();
        let flags = [("--api-model", &content.model), ("-o", &folder)].into_iter();
        let added = serde_json::to_string(&content.params.body_json).unwrap_or_default();
        let stops = content.params.stop.iter().map(|stop| ("--stop", stop));
        let sources = content.sources.iter().map(|source| ("the tasks", source));
        for (name, text) in flags
            .chain([("--body-json", &added)])
            .chain(stops)
            .chain(sources)
            .chain(snapshot.map(|s| ("--require-model-snapshot", s)))
        {
            if secrets.holds_key(text) {
                return refuse(name, "the value");
            }
        }
        for (task, source) in plan.tasks.iter().zip(&content.sources) {
            for (n, item) in task.items.iter().enumerate() {
                let item = item?;
                if secrets.is_in_item(&item) {
                    return refuse("the tasks", &format!("item {} of {source}", n + 1));
                }
            }
        }
        Ok(())
    }

    /// Sends the probe, then all pending questions. Returns the reason if the run ended early.
    async fn ask_all(
        &mut self,
        plan: &mut Plan,
        mut pending: Pending,
        journal: &mut Journal,
        mut worker: Worker,
    ) -> Result<Option<Error>> {
        // The reservations of open batches come first, so that new requests and open batches together stay
        // within the budget.
        batch::hold(journal, &worker)?;
        if self.batch.is_none() && !journal.index.batches.is_empty() {
            let early = batch::run(plan, journal, &worker, &self.redo, None).await?;
            pending = plan.pending(&journal.index, &self.redo)?;
            if early.is_some() || pending.questions.is_empty() {
                return Ok(early);
            }
        }
        let is_cancelling = self.batch.is_some_and(|batch| batch.cancel);
        // If stored answers have a problem, the run asks no question, but still fetches the results of open
        // batches.
        let has_finding = self.batch.is_some()
            && !journal.index.batches.is_empty()
            && worker.first.of_earlier(plan, &pending, journal)?.is_some();
        if is_cancelling || pending.questions.is_empty() || has_finding {
            return batch::run(plan, journal, &worker, &self.redo, self.batch).await;
        }
        if probe::probe(&mut self.configuration, plan, journal, &worker).await? {
            // The parameters are part of every key, so all keys have changed.
            pending = plan.pending(&journal.index, &self.redo)?;
        }
        worker.first = FirstAnswers::new(&self.configuration.grading, self.tolerated(), self.hints(plan));
        worker.probe_again = probe::again(plan, journal, &worker)?;
        let worker = Arc::new(worker);
        if self.batch.is_none() {
            return dispatch::ask_all(plan, pending, journal, &worker).await;
        }
        let first = if self.tolerated().all() { vec![] } else { before_batches(plan, &pending) };
        if !first.is_empty() {
            worker.run.progress.say(&format!(
                "{} of {} questions are sent individually first, because a batch is billed as a whole",
                first.len(),
                pending.questions.len()
            ));
            let pending = Pending { questions: first, ..pending };
            let early = dispatch::ask_all(plan, pending, journal, &worker).await?;
            if early.is_some() {
                return Ok(early);
            }
            journal.index = Index::read(&self.folder)?;
        }
        batch::run(plan, journal, &worker, &self.redo, self.batch).await
    }

    fn tolerated(&self) -> Tolerated {
        Tolerated { truncated: self.tolerated.truncated || self.policy.keep_truncated, ..self.tolerated }
    }

    /// Selects the advice that is given if no answer of a run is right: another rendering of in-context
    /// questions for a chat, or another grader.
    fn hints(&self, plan: &Plan) -> Hints {
        let grader = self.configuration.semantic.is_none();
        let is_drawn = grader && plan.tasks.iter().any(|task| task.is_drawn());
        let is_other = self.configuration.rendering != Rendering::Turns;
        let short_limit = self.configuration.short_answers;
        Hints { rendering: is_drawn && is_other && plan.provider.capabilities().chats, grader, short_limit }
    }

    fn worker(
        &self,
        plan: &Plan,
        journal: &Journal,
        secrets: Arc<Secrets>,
        stop: Arc<Stop>,
        progress: &Arc<Progress>,
    ) -> Result<Worker> {
        let key = (self.key_header.unwrap_or(plan.provider.key_header()), &*secrets);
        let concurrency = self.policy.concurrency;
        let client = match &self.in_process {
            Some(server) => Client::in_process(plan.endpoint.clone(), key, server.clone())?,
            None => {
                Client::new(plan.endpoint.clone(), key, concurrency, self.timeout, self.ca_cert.as_deref())?
            }
        };
        let price = self.price.clone().map(|price| plan.with_batch_factor(price));
        let budget = Budget::new(price, self.cap_usd, journal.index.spent_usd);
        if let Some(usd) = replay::book_unpriced(&self.folder, &journal.index, plan, &budget)? {
            let n = journal.index.unpriced.len();
            progress.say(&format!(
                "{n} earlier request(s) had no price; at the price in --prices they cost {usd:.6} USD"
            ));
        }
        let least = budget.max_cost(1, plan.least_tokens().into());
        let run = RunContext {
            provider: plan.provider,
            endpoint: plan.endpoint.name(),
            limiter: Limiter::new(concurrency, self.policy.backoff),
            budget,
            secrets,
            breaker: Breaker::default(),
            stop,
            progress: progress.clone(),
            policy: self.policy.clone(),
            adapt: self.adapt,
            latency: Latency::default(),
            has_answered: AtomicBool::default(),
            said: Mutex::default(),
        };
        let (writer, is_short) = (journal.writer(), AtomicBool::new(false));
        let first = FirstAnswers::new(&self.configuration.grading, self.tolerated(), self.hints(plan));
        Ok(Worker {
            run,
            client,
            writer,
            least,
            is_short,
            monitor: AnswerMonitor::default(),
            first,
            probe_again: None,
            n_probes_again: AtomicU32::new(0),
        })
    }
}
