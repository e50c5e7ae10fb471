//! Collecting, from a configuration to its files: what the journal holds already, a probe, everything that is
//! missing, and the scores.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use super::budget::estimate;
use super::budget::ledger::{Budget, Price};
use super::client::breaker::Breaker;
use super::client::http::Client;
use super::client::limiter::Limiter;
use super::client::retry_decision::AnswerMonitor;
use super::client::stop::Stop;
use super::client::worker::{PreparedQuestion, QuestionOutcome, RetryPolicy, Worker};
use super::configuration::Configuration;
use super::journal::{self, Index, Journal, OutcomeRecord, QuestionKey, Record};
use super::plan::{Pending, Plan, Question, RedoSelection};
use super::progress::Progress;
use super::results::replay;
use super::results::replay::FolderSummary;
use super::secrets::Secrets;
use crate::disk::Schema;
use crate::error::{Error, Result};
use crate::provider::KeyHeader;

/// What is collected, and how.
pub struct Run {
    /// The folder.
    pub folder: PathBuf,
    /// What is asked.
    pub configuration: Configuration,
    /// Whether a folder may hold answers to something else already.
    pub new_config: bool,
    /// What is asked again.
    pub again: RedoSelection,
    /// Whether parameters that the model does not support are left away.
    pub adapt: bool,
    /// How patiently.
    pub patience: RetryPolicy,
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
pub struct Ended {
    /// What the folder holds.
    pub summary: FolderSummary,
    /// Why not everything was asked, if it was not.
    pub early: Option<Error>,
}

impl Run {
    /// Asks what is missing and writes the scores. Where nothing is missing, there need be no key.
    ///
    /// # Errors
    /// What is wrong before anything is asked; what ends a run early is in [`Ended`].
    pub fn collect(
        mut self,
        mut secrets: Result<Arc<Secrets>>,
        progress: &Arc<Progress>,
        interrupt: impl Fn(Arc<Stop>) + Send + 'static,
    ) -> Result<Ended> {
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
        let rescue = rescue(progress.clone(), self.folder.clone());
        let mut journal = Journal::open(&self.folder, self.durable, rescue)?;
        if let Some(torn) = &journal.torn {
            progress.say(&format!("1 torn record set aside in {}", torn.display()));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Error::Storage { path: self.folder.clone(), source })?;
        let is_known = self.configuration.settle(&journal.index, &self.folder, self.new_config)?;
        if !self.configuration.without.is_empty() {
            plan = self.configuration.plan(plan.tasks)?;
        }
        let writer = journal.writer();
        if !is_known {
            runtime.block_on(writer.append(&self.record()?)?.durable())?;
        }
        runtime.block_on(close_open(&mut journal, progress))?;
        let pending = plan.pending(&journal.index, &self.again)?;
        let mut early = None;
        if !pending.questions.is_empty() {
            let secrets = secrets?;
            let stop = Arc::new(Stop::default());
            interrupt(stop.clone());
            let asker = self.asker(&plan, &journal, secrets, stop, progress)?;
            early = runtime.block_on(self.work(&mut plan, pending, &journal, &Arc::new(asker)))?;
            // What an aborted run still waits for is not waited for here either.
            runtime.shutdown_background();
        }
        drop(writer);
        journal.close();
        let summary = replay::write(&self.folder, &self.configuration, &plan)?;
        Ok(Ended { summary, early })
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
        let snapshot = self.patience.model_snapshot.iter();
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

    pub(super) fn record(&self) -> Result<Record> {
        let configuration = serde_json::to_value(&self.configuration)
            .map_err(|source| Error::Json { path: self.folder.clone(), source })?;
        Ok(Record::Configuration {
            schema: Schema::new(journal::NAME, journal::VERSION),
            at: journal::now(),
            configuration,
        })
    }

    fn asker(
        &self,
        plan: &Plan,
        journal: &Journal,
        secrets: Arc<Secrets>,
        stop: Arc<Stop>,
        progress: &Arc<Progress>,
    ) -> Result<Worker> {
        let key = (self.key_header.unwrap_or(plan.provider.key_header()), &*secrets);
        let concurrency = self.patience.concurrency;
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
        let least = budget.most_of(1, most_tokens.min().unwrap_or(0));
        Ok(Worker {
            provider: plan.provider,
            endpoint: plan.endpoint.name(),
            client,
            writer: journal.writer(),
            limiter: Limiter::new(concurrency, self.patience.waits),
            budget,
            least,
            is_short: AtomicBool::new(false),
            secrets,
            breaker: Breaker::default(),
            stop,
            progress: progress.clone(),
            patience: self.patience.clone(),
            adapt: self.adapt,
            seen: Mutex::new(AnswerMonitor::default()),
        })
    }

    /// Probes, then asks everything that is missing. What ended it early, if something did.
    async fn work(
        &mut self,
        plan: &mut Plan,
        mut pending: Pending,
        journal: &Journal,
        asker: &Arc<Worker>,
    ) -> Result<Option<Error>> {
        if self.probe(plan, journal, asker).await? {
            // With what is sent, every key has changed.
            pending = plan.pending(&journal.index, &self.again)?;
        }
        asker.recall(&pending.answered);
        asker.progress.total.store(pending.questions.len() as u64, Relaxed);
        asker.progress.limit.store(asker.limiter.limit() as u64, Relaxed);
        let mut under_way: JoinSet<(Question, QuestionOutcome)> = JoinSet::new();
        let (mut left, mut n_begun) = (vec![], 0);
        let mut end =
            |ended: std::result::Result<(Question, QuestionOutcome), tokio::task::JoinError>| match ended {
                Ok((_, QuestionOutcome::Answered)) => drop(asker.progress.done.fetch_add(1, Relaxed)),
                Ok((_, QuestionOutcome::Failed(_))) => {
                    asker.progress.done.fetch_add(1, Relaxed);
                    asker.progress.failed.fetch_add(1, Relaxed);
                }
                Ok((question, QuestionOutcome::Left)) => left.push(question),
                // What panicked has said so on stderr. Its question was asked, perhaps, and is booked as possibly
                // paid by the next run.
                Err(error) if error.is_panic() => asker.stop.drain(panicked()),
                Err(_) => {}
            };
        // Some wait for their next attempt and hold no request; others may go on meanwhile.
        let most = 2 * self.patience.concurrency;
        for question in &pending.questions {
            while under_way.len() >= most {
                under_way.join_next().await.into_iter().for_each(&mut end);
            }
            if asker.stop.is_draining() {
                break;
            }
            let ask = match self.ask(plan, question, journal, asker) {
                Ok(ask) => ask,
                // What is under way is paid, and waited for.
                Err(error) => {
                    asker.stop.drain(error);
                    break;
                }
            };
            let (asker, question) = (asker.clone(), *question);
            under_way.spawn(async move { (question, asker.ask(&ask).await) });
            n_begun += 1;
        }
        let drained = async {
            while let Some(ended) = under_way.join_next().await {
                end(ended);
            }
        };
        tokio::select! {
            () = drained => {}
            () = asker.stop.aborting() => {}
        }
        let early = asker.stop.take();
        if !asker.is_short.load(Relaxed) || !matches!(early, None | Some(Error::Budget { .. })) {
            return Ok(early);
        }
        left.extend(&pending.questions[n_begun..]);
        let (prompts, answers) = estimate::tokens(plan, &left)?;
        let usd = |prompt, answer| asker.budget.cost_usd(prompt, answer).unwrap_or(0.0);
        let reason = format!(
            "the budget allows no other request: of --budget-usd {}, {:.6} are spent, and what is left \
             costs {:.6} to {:.6} USD more",
            asker.budget.cap_usd().unwrap_or(0.0),
            asker.budget.spent_usd().unwrap_or(0.0),
            usd(prompts.0, answers.0),
            usd(prompts.1, answers.1),
        );
        Ok(Some(Error::Budget { reason }))
    }

    fn ask(
        &self,
        plan: &Plan,
        question: &Question,
        journal: &Journal,
        asker: &Worker,
    ) -> Result<PreparedQuestion> {
        let item = plan.item(question)?;
        let request = plan.request(&item, question);
        let wire = plan.provider.render(&request)?;
        let key = plan.key(&wire, question.replicate);
        let (attempts, most) = (attempts(&journal.index, &key), asker.most(&request));
        let (task, item, replicate) = (item.task, item.id, question.replicate);
        Ok(PreparedQuestion { key, task, item, replicate, probe: false, attempts, wire, most })
    }
}

/// Grades the journal of a folder again, with no network. `change` may set how.
///
/// # Errors
/// [`Error::Journal`], [`Error::Storage`]; [`Error::Parameter`] if the tasks are not those that were asked.
pub fn rescore(
    folder: &Path,
    change: impl FnOnce(&mut Configuration) -> Result<()>,
) -> Result<FolderSummary> {
    let index = Index::read(folder)?;
    let Some(there) = index.configuration else {
        if !index.is_empty() {
            let reason = "holds answers but no record of what was asked (it was damaged); collect into it \
                          once more, with --new-config";
            return Err(Error::Parameter { name: "-o", reason: reason.into() });
        }
        let path = folder.join("journal.jsonl");
        return Err(Error::Read { path, source: std::io::ErrorKind::NotFound.into() });
    };
    let there = Configuration::from_record(there)?;
    let mut configuration = there.clone();
    change(&mut configuration)?;
    configuration.check_apart(folder)?;
    let tasks = configuration.load_tasks()?;
    let plan = configuration.plan(tasks)?;
    if configuration.tasks != there.tasks {
        let reason = "are not the ones that were asked: a file has changed since, or its name, which names \
                      the task; give the original with --task"
            .into();
        return Err(Error::Parameter { name: "the tasks", reason });
    }
    replay::write(folder, &configuration, &plan)
}

/// What a panic leaves.
pub fn panicked() -> Error {
    let reason = "surmise made a mistake (see above; please report it): every answer that came is kept, the \
                  same command goes on";
    Error::Panicked { reason: reason.into() }
}

pub(super) fn attempts(index: &Index, key: &QuestionKey) -> u32 {
    index.state(key).map_or(0, |state| state.attempts)
}

/// Closes what was under way when an earlier process ended: it may have been answered and billed, so its
/// reserve is spent.
async fn close_open(journal: &mut Journal, progress: &Progress) -> Result<()> {
    let mut open: Vec<_> = journal.index.open.drain().collect();
    open.sort_unstable_by_key(|(key, _)| *key);
    let writer = journal.writer();
    let mut commits = vec![];
    for ((key, attempt), intent) in &open {
        let arrival = OutcomeRecord::crashed(*key, *attempt, intent.probe, intent.reserve_usd);
        commits.push((*key, *intent, writer.append(&Record::Outcome(Box::new(arrival)))?));
    }
    for (key, intent, commit) in commits {
        let place = commit.durable().await?;
        journal.index.settle(key, place, intent.probe, "failed", Some("unknown"));
        match intent.reserve_usd {
            Some(usd) => journal.index.spent_usd += usd,
            None => journal.index.unpriced.push((Some(intent.place), place)),
        }
    }
    if !open.is_empty() {
        let n = open.len();
        progress.say(&format!(
            "{n} request(s) were under way when an earlier run ended; they may have been billed and are \
             booked so"
        ));
    }
    Ok(())
}

/// Where answers go that the journal cannot take: a file elsewhere, or else stderr.
fn rescue(progress: Arc<Progress>, folder: PathBuf) -> impl FnMut(&[u8]) + Send {
    use std::io::Write;
    let mut file: Option<(std::fs::File, PathBuf)> = None;
    move |line: &[u8]| {
        if file.is_none()
            && let Ok((made, path)) = tempfile::Builder::new()
                .prefix("surmise-rescued-")
                .suffix(".jsonl")
                .tempfile()
                .and_then(|f| Ok(f.keep()?))
        {
            progress.say(&format!(
                "answers that the journal cannot take go to {name}; when there is room again: cat {name} >> \
                 {journal}",
                name = path.display(),
                journal = folder.join("journal.jsonl").display()
            ));
            file = Some((made, path));
        }
        let written = file
            .as_mut()
            .is_some_and(|(file, _)| file.write_all(line).and_then(|()| file.sync_data()).is_ok());
        if !written {
            progress.say(String::from_utf8_lossy(line).trim_end());
        }
    }
}
