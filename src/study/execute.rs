//! Runs a task of any kind. A task reads the study and its model, and writes only its own files.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::asking::{ANSWER_TOKENS, HERE, PROVIDER, ask_served, lacking_positions, serve_here};
use super::checked::{Api, ClosedTarget, Study};
use super::file::ClosedModel;
use super::models::StudyModel;
use super::parts::{parts, set_aside_others, spent_usd};
use super::results::StudyFolder;
use super::task::{StudyTask, Subject};
use crate::collect::batch::BatchSettings;
use crate::collect::client::retry_policy::{Backoff, RetryPolicy};
use crate::collect::client::stop::Stop;
use crate::collect::configuration::Configuration;
use crate::collect::plan::RedoSelection;
use crate::collect::progress::Progress;
use crate::collect::results::check::Tolerated;
use crate::collect::run::Run;
use crate::collect::secrets::hide_in_panics;
use crate::corpus::FactorialDesign;
use crate::disk;
use crate::emergence::semantic::{
    SemanticProfile, SemanticSettings, measure_with_progress, settings_of, tokenize,
};
use crate::emergence::{ProfileStore, measure_once};
use crate::error::{Error, Result};
use crate::machine;
use crate::model::hub::Hub;
use crate::model::{Model, ModelOptions};
use crate::provider;

/// State that running tasks share.
pub(super) struct Execution<'a> {
    pub study: &'a Study,
    pub folder: &'a StudyFolder,
    pub hub: &'a Hub,
    /// Memory limit for a model and its states, in bytes; `None` for no limit.
    pub max_memory_bytes: Option<u64>,
    /// Receives the messages of collections.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
    /// Registers a collection so that a signal can stop it.
    pub interrupt: Arc<dyn Fn(Arc<Stop>) + Send + Sync>,
}

/// Receives the finished fraction of a task. Returns whether this process still holds the claim of the task.
pub(super) type Step<'a> = &'a (dyn Fn(f64) -> bool + Sync);

/// The result of a task.
pub(super) struct Outcome {
    pub files: Vec<PathBuf>,
    pub note: String,
    /// The reason, if the result is incomplete.
    pub gaps: Option<Error>,
}

impl Execution<'_> {
    /// Runs a task. `progress` receives the finished fraction.
    ///
    /// # Errors
    /// Returns the errors of the task.
    pub fn run(&self, task: &StudyTask, progress: Step) -> Result<Outcome> {
        let study = self.study;
        match task.subject {
            Subject::Open { model, design } => {
                let random_init = study.file.design.random_init;
                self.measure(task, &study.models[model], &study.designs[design], random_init, progress)
            }
            Subject::Weights { target, design } => {
                let ClosedTarget { closed, weights, .. } = &study.closed[target];
                let weights = weights.as_ref().ok_or_else(|| no_weights(closed))?;
                let named = closed_model(closed, weights);
                self.measure(task, &named, &study.designs[design], false, progress)
            }
            Subject::Questions { model } => {
                let model = &study.models[model];
                self.ask(&model.info.id, model, false, progress)
            }
            Subject::Closed { target } => {
                let target = &study.closed[target];
                match (&target.api, &target.weights) {
                    (Some(api), _) => self.collect(&target.closed, api, progress),
                    (None, Some(weights)) => self.ask(&target.closed.id, weights, true, progress),
                    (None, None) => Err(no_weights(&target.closed)),
                }
            }
        }
    }

    fn open(&self, model: &StudyModel, with_random_init: bool) -> Result<Model> {
        let options = ModelOptions {
            with_random_init,
            max_memory_bytes: self.max_memory_bytes,
            ..ModelOptions::default()
        };
        let mut opened = Model::load_with(&model.name, options, self.hub)?;
        opened.info.family.clone_from(&model.info.family);
        opened.info.id.clone_from(&model.info.id);
        Ok(opened)
    }

    fn measure(
        &self,
        task: &StudyTask,
        model: &StudyModel,
        design: &FactorialDesign,
        random_init: bool,
        progress: Step,
    ) -> Result<Outcome> {
        let seed = self.study.file.seed;
        let opened = self.open(model, random_init)?;
        let prompts = tokenize(&opened, design)?;
        let how = SemanticSettings::new(seed, random_init.then_some(seed));
        let wanted = settings_of(&opened, design, &prompts, &how);
        let own = self.folder.of(task);
        let store = ProfileStore::new(&own);
        // An interrupted run of this task may have left a damaged file.
        if own.is_dir() {
            for file in store.files()? {
                std::fs::remove_file(&file).map_err(|source| Error::Write { path: file.clone(), source })?;
            }
        }
        let step = |done: usize, total: usize| {
            // Ignore a lost claim: another process computes bit-identical results.
            progress(done as f64 / total.max(1) as f64);
        };
        let measured = || measure_with_progress(&opened, design, &prompts, &how, &step);
        let (profile, _): (SemanticProfile, _) =
            measure_once(Some(&store), &opened.info, &design.category, &wanted, measured)?;
        let file = store.file(&profile.model.id, &design.category, &wanted);
        Ok(Outcome { files: vec![file], note: String::new(), gaps: None })
    }

    /// Serves a model on this machine and asks it all questions of the study.
    fn ask(&self, id: &str, model: &StudyModel, logprobs: bool, progress: Step) -> Result<Outcome> {
        let opened = self.open(model, false)?;
        self.check_positions(&opened)?;
        // Move answers that other weights gave under the same model name to `earlier/`.
        set_aside_others(self.folder, id, &model.sha256)?;
        let server = serve_here(opened, self.study.file.seed)?;
        let asked = (HERE, model.info.id.as_str());
        let provider = provider::find(PROVIDER)?;
        let configuration =
            self.study.questions(logprobs).configuration(provider, asked, Some(ANSWER_TOKENS));
        let folders = parts(self.study, self.folder, id, configuration);
        let mut files = vec![];
        let n = folders.len() as f64;
        for (at, (folder, configuration, file)) in folders.into_iter().enumerate() {
            let counted = Arc::new(Progress::new(|_| {}));
            let share = |own: f64| progress((at as f64 + own) / n);
            watched(&counted, &share, &|| (), || {
                ask_served(configuration, Some(server.clone()), &folder, &counted)
            })?;
            files.push(folder.join(file));
        }
        Ok(Outcome { files, note: String::new(), gaps: None })
    }

    /// Checks that every prompt with its answer fits into the context of the model.
    fn check_positions(&self, model: &Model) -> Result<()> {
        for design in &self.study.designs {
            if let Some((longest, positions)) = lacking_positions(model, design, ANSWER_TOKENS)? {
                let reason = format!(
                    "the longest prompt of {} has {longest} tokens, but {} has {positions} positions, \
                     and the answer needs {ANSWER_TOKENS} of them; lower `shots`, or leave the model out",
                    design.category, model.info.id
                );
                return Err(Error::Study { reason });
            }
        }
        Ok(())
    }

    /// Asks a closed model over the network.
    fn collect(&self, closed: &ClosedModel, api: &Api, progress: Step) -> Result<Outcome> {
        let asked = (api.base_url.as_str(), closed.model.as_str());
        let configuration = self.study.questions(true).configuration(api.provider, asked, closed.max_tokens);
        let (mut files, mut notes, mut gaps) = (vec![], vec![], None);
        let parts = parts(self.study, self.folder, &closed.id, configuration);
        let n = parts.len() as f64;
        // Answers to an earlier version of the study file count towards the budget, too.
        let folders = [self.folder.answers(&closed.id), self.folder.scores(&closed.id)];
        for (at, (folder, configuration, file)) in parts.into_iter().enumerate() {
            disk::make_folder(&folder)?;
            let secrets = api.secrets().map(Arc::new);
            if let Ok(secrets) = &secrets {
                hide_in_panics(secrets.clone());
                secrets.check_url(&api.base_url)?;
            }
            let say = self.say.clone();
            let shown = secrets.as_ref().ok().cloned();
            let counted = Arc::new(Progress::new(move |line: &str| match &shown {
                Some(secrets) => say(&secrets.redact_text(line)),
                None => say(line),
            }));
            let interrupt = self.interrupt.clone();
            let mut run = collection(&folder, configuration, closed, api);
            // All collections of the model share one budget.
            let elsewhere = spent_usd(folders.iter().filter(|other| **other != folder))?;
            run.cap_usd = closed.budget_usd.map(|usd| (usd - elsewhere).max(0.0));
            let share = |own: f64| progress((at as f64 + own) / n);
            let started: Arc<Mutex<Option<Arc<Stop>>>> = Arc::default();
            let begun = started.clone();
            let lost = || {
                if let Some(stop) = &*started.lock().unwrap_or_else(PoisonError::into_inner) {
                    let reason = "another process has taken this task over".into();
                    stop.drain(Error::Study { reason });
                }
            };
            let ended = watched(&counted, &share, &lost, || {
                run.collect(secrets, &counted, move |stop| {
                    *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop.clone());
                    interrupt(stop);
                })
            })?;
            files.extend(Some(folder.join(file)).filter(|file| file.is_file()));
            let summary = &ended.summary;
            if let Some(usd) = summary.spent_usd {
                notes.push(format!("{usd:.4} USD"));
            }
            if let Some(error) = ended.early {
                gaps = Some(error);
                break;
            }
            if summary.n_gaps() > 0 {
                let reason =
                    format!("{} of {} questions have no answer", summary.n_gaps(), summary.n_questions);
                gaps = Some(Error::Gaps { reason });
            }
        }
        Ok(Outcome { files, note: notes.join(", "), gaps })
    }
}

/// The collection of a closed model, with the defaults of `surmise collect`.
fn collection(folder: &Path, configuration: Configuration, closed: &ClosedModel, api: &Api) -> Run {
    Run {
        folder: folder.into(),
        configuration,
        // Answers to the prompts of an earlier study file stay valid.
        new_config: true,
        redo: RedoSelection::default(),
        adapt: true,
        // It is a valid result that a model answers every question of a relation wrongly.
        tolerated: Tolerated { wrong: true, ungraded: false, truncated: false },
        policy: RetryPolicy {
            concurrency: closed.concurrency,
            retries: 6,
            unknown_retries: 1,
            backoff: Backoff { first_s: 1.0, longest_s: 60.0 },
            idle_timeout: Duration::from_secs(900),
            keep_truncated: true,
            model_snapshot: None,
        },
        timeout: Duration::from_secs(if api.is_local() { 600 } else { 120 }),
        price: api.price.clone(),
        cap_usd: closed.budget_usd,
        batch: closed.batch.then(BatchSettings::default),
        key_header: None,
        ca_cert: None,
        in_process: None,
        is_claimed: true,
        durable: true,
    }
}

/// Runs a collection and reports its progress to `share`. Calls `lost` once if this process no longer holds
/// the claim of the task.
fn watched<T>(
    counted: &Progress,
    share: Step,
    lost: &(dyn Fn() + Sync),
    work: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = || {
            while !over.load(Relaxed) {
                std::thread::park_timeout(TICK);
                let (done, total) = (counted.done.load(Relaxed), counted.total.load(Relaxed));
                if !share(done as f64 / total.max(1) as f64) {
                    lost();
                    return;
                }
            }
        };
        let watcher = std::thread::Builder::new().spawn_scoped(scope, watch);
        let watcher = watcher.map_err(|error| machine::no_thread(&error))?;
        let result = work();
        over.store(true, Relaxed);
        watcher.thread().unpark();
        result
    })
}

/// Interval at which the progress of a collection is reported.
const TICK: Duration = Duration::from_millis(200);

/// The weights of a closed model, under the id and family of the closed model.
fn closed_model(closed: &ClosedModel, weights: &StudyModel) -> StudyModel {
    let mut named = weights.clone();
    named.info.id.clone_from(&closed.id);
    named.info.family.clone_from(&closed.family);
    named
}

fn no_weights(closed: &ClosedModel) -> Error {
    Error::Study { reason: format!("{} has neither an API nor weights", closed.id) }
}
