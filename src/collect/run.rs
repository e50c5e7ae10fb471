//! Collecting, from a configuration to its files: reads the journal, sends a probe and everything that is
//! missing, and writes the scores.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::budget::ledger::Budget;
use super::budget::price::Price;
use super::client::answer_monitor::AnswerMonitor;
use super::client::breaker::Breaker;
use super::client::http::Client;
use super::client::limiter::Limiter;
use super::client::retry_policy::RetryPolicy;
use super::client::run_context::RunContext;
use super::client::stop::Stop;
use super::client::worker::Worker;
use super::configuration::Configuration;
use super::journal::Journal;
use super::plan::{Pending, Plan, RedoSelection};
use super::progress::Progress;
use super::results::replay;
use super::results::replay::FolderSummary;
use super::secrets::Secrets;
use super::{dispatch, probe, recovery};
use crate::error::{Error, Result};
use crate::provider::KeyHeader;

/// A collection: the questions, the folder, and how requests are made.
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    /// What is asked.
    pub configuration: Configuration,
    /// Whether a folder may hold answers to something else already.
    pub new_config: bool,
    /// What is asked again.
    pub redo: RedoSelection,
    /// Whether parameters that the model does not support are left away.
    pub adapt: bool,
    /// Concurrency, retries and waits.
    pub policy: RetryPolicy,
    /// The longest a request may take.
    pub timeout: Duration,
    /// What the model costs.
    pub price: Option<Price>,
    /// The most that may be spent in all runs into this folder.
    pub cap_usd: Option<f64>,
    /// Where the key goes, if not where the wire format has it.
    pub key_header: Option<KeyHeader>,
    /// Certificates to trust beside the system's.
    pub ca_cert: Option<PathBuf>,
    /// Whether records are made durable before they count; off only to measure what that costs.
    pub durable: bool,
}

/// How a run ended.
pub struct RunResult {
    /// What the folder holds.
    pub summary: FolderSummary,
    /// Why not everything was asked, if it was not.
    pub early: Option<Error>,
}

impl Run {
    /// Asks what is missing and writes the scores. Where nothing is missing, there need be no key.
    ///
    /// # Errors
    /// What is wrong before anything is asked; what ends a run early is in [`RunResult`].
    pub fn collect(
        mut self,
        mut secrets: Result<Arc<Secrets>>,
        progress: &Arc<Progress>,
        interrupt: impl Fn(Arc<Stop>) + Send + 'static,
    ) -> Result<RunResult> {
        self.configuration.check_apart(&self.folder)?;
        let tasks = self.configuration.load_tasks()?;
        let mut plan = self.configuration.plan(tasks)?;
        // Nothing is written before the key is known to be there, and to be nowhere else.
        if let Ok(secrets) = &secrets {
            self.check_content(&plan, secrets)?;
        }
        if !self.folder.join("journal.jsonl").is_file() {
            secrets = Ok(secrets?);
        }
        let fallback_writer = recovery::fallback_writer(progress.clone(), self.folder.clone());
        let mut journal = Journal::open(&self.folder, self.durable, fallback_writer)?;
        if let Some(torn) = &journal.torn {
            progress.say(&format!("1 torn record set aside in {}", torn.display()));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Error::Storage { path: self.folder.clone(), source })?;
        let is_known = self.configuration.reconcile(&journal.index, &self.folder, self.new_config)?;
        if !self.configuration.without.is_empty() {
            plan = self.configuration.plan(plan.tasks)?;
        }
        let writer = journal.writer();
        if !is_known {
            runtime.block_on(writer.append(&self.configuration.record()?)?.durable())?;
        }
        runtime.block_on(recovery::close_open(&mut journal, progress))?;
        let pending = plan.pending(&journal.index, &self.redo)?;
        let mut early = None;
        if !pending.questions.is_empty() {
            let secrets = secrets?;
            let stop = Arc::new(Stop::default());
            interrupt(stop.clone());
            let worker = self.worker(&plan, &journal, secrets, stop, progress)?;
            early = runtime.block_on(self.ask_all(&mut plan, pending, &journal, worker))?;
            // What an aborted run still waits for is not waited for here either.
            runtime.shutdown_background();
        }
        drop(writer);
        journal.close();
        let summary = replay::write(&self.folder, &self.configuration, &plan)?;
        Ok(RunResult { summary, early })
    }

    /// Refuses what holds the key and would be kept.
    fn check_content(&self, plan: &Plan, secrets: &Secrets) -> Result<()> {
        let content = &self.configuration;
        secrets.check_url(&content.base_url)?;
        let fault = |name: &'static str, what: &str| {
            Err(Error::Parameter {
                name,
                reason: format!("{what} holds the key, and would be kept; take it out"),
            })
        };
        let folder = self.folder.display().to_string();
        let snapshot = self.policy.model_snapshot.iter();
        let flags = [("--model", &content.model), ("-o", &folder)].into_iter();
        let stops = content.params.stop.iter().map(|stop| ("--stop", stop));
        let sources = content.sources.iter().map(|source| ("the tasks", source));
        for (name, text) in
            flags.chain(stops).chain(sources).chain(snapshot.map(|s| ("--require-model-snapshot", s)))
        {
            if secrets.holds_key(text) {
                return fault(name, "the value");
            }
        }
        for (task, source) in plan.tasks.iter().zip(&content.sources) {
            for (n, item) in task.items.iter().enumerate() {
                let item = item?;
                if secrets.is_in_item(&item) {
                    return fault("the tasks", &format!("item {} of {source}", n + 1));
                }
            }
        }
        Ok(())
    }

    /// Probes, then asks everything that is missing. Returns the reason if the run ended early.
    async fn ask_all(
        &mut self,
        plan: &mut Plan,
        mut pending: Pending,
        journal: &Journal,
        worker: Worker,
    ) -> Result<Option<Error>> {
        if probe::probe(&mut self.configuration, plan, journal, &worker).await? {
            // Every key contains the parameters, so that all have changed.
            pending = plan.pending(&journal.index, &self.redo)?;
        }
        dispatch::ask_all(plan, &pending, journal, &Arc::new(worker)).await
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
        let client =
            Client::new(plan.endpoint.clone(), key, concurrency, self.timeout, self.ca_cert.as_deref())?;
        let budget = Budget::new(self.price, self.cap_usd, journal.index.spent_usd);
        if let Some(usd) = replay::book_unpriced(&self.folder, &journal.index, plan, &budget)? {
            let n = journal.index.unpriced.len();
            progress.say(&format!(
                "{n} earlier request(s) had no price; they are booked at {usd:.6} USD by that of --prices"
            ));
        }
        let most_tokens = plan.params.iter().map(|params| u64::from(params.max_tokens));
        let least = budget.max_cost(1, most_tokens.min().unwrap_or(0));
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
        };
        let (writer, is_short) = (journal.writer(), AtomicBool::new(false));
        Ok(Worker { run, client, writer, least, is_short, monitor: AnswerMonitor::default() })
    }
}
