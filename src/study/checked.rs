//! Checks a study before a task runs: resolves every name, file, price and key in the study file, and reports
//! all mistakes at once.

use std::path::Path;

use super::asking::SemanticQuestions;
use super::file::{ClosedModel, Finding, Findings, Located, StudyFile};
use super::models::{KnownModels, StudyModel, opened_by, resolve};
use crate::collect::Grader;
use crate::collect::budget::price::Price;
use crate::collect::client::endpoint::Endpoint;
use crate::collect::secrets::Secrets;
use crate::collect::tasks::{self, Rendering, TaskOptions};
use crate::corpus::{Category, DesignSettings, FactorialDesign, PromptForm};
use crate::disk;
use crate::error::Result;
use crate::model::hub::Hub;
use crate::names;
use crate::observations;
use crate::provider::{self, Prompt, Provider};
use crate::report;

/// A checked study, ready to run.
pub struct Study {
    /// The study file.
    pub file: StudyFile,
    /// The designs, one for each corpus.
    pub designs: Vec<FactorialDesign>,
    /// Number of requests and tokens of the tasks that are asked in addition to the designs.
    pub(super) beside: Questions,
    /// The open models.
    pub models: Vec<StudyModel>,
    /// The closed models.
    pub closed: Vec<ClosedTarget>,
}

/// Number of requests, and approximate number of tokens of their prompts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Questions {
    pub calls: usize,
    pub tokens: f64,
}

/// A closed model with its API or its weights.
pub struct ClosedTarget {
    /// Table of the closed model in the study file.
    pub closed: ClosedModel,
    /// API of the closed model; `None` if its weights are served on this machine.
    pub api: Option<Api>,
    /// Weights of the closed model. They are measured after the predictions are written.
    pub weights: Option<StudyModel>,
}

/// An API.
pub struct Api {
    /// The wire format.
    pub provider: &'static dyn Provider,
    /// The base URL.
    pub base_url: String,
    /// The price, if the study file names a file of prices.
    pub price: Option<Price>,
}

/// Number of items per relation of a task that is drawn from a corpus.
pub(super) const TASK_ITEMS: usize = 100;
/// Maximum number of examples in a prompt of a task that is drawn from a corpus.
pub(super) const TASK_SHOTS: usize = 4;
/// Approximate characters per token of English text and of the embedded categories.
pub(super) const CHARS_PER_TOKEN: f64 = 3.5;

impl Api {
    /// Whether the API runs on this machine.
    pub(super) fn is_local(&self) -> bool {
        Endpoint::new(&self.base_url).is_ok_and(|endpoint| endpoint.is_local())
    }

    /// The key of the API, from the environment.
    ///
    /// # Errors
    /// [`Error::Account`](crate::Error::Account) if the environment variable is not set; the message names
    /// it.
    pub(super) fn secrets(&self) -> Result<Secrets> {
        Secrets::from_env(self.provider.key_variable(), &self.base_url, self.is_local())
    }
}

impl ClosedTarget {
    fn check_key(&self, findings: &Findings) {
        if let Some(Err(error)) = self.api.as_ref().map(Api::secrets) {
            findings.add_error(self.closed.line, &error);
        }
    }
}

impl Study {
    /// Resolves and checks everything that a study file names. `found` contains the mistakes that were found
    /// when the file was read; `known` caches the hashes of weights.
    ///
    /// # Errors
    /// [`Error::StudyFile`](crate::Error::StudyFile) with every mistake. If `runs` is set and the file has a
    /// mistake, missing keys are reported as well. For a file without a mistake, [`Study::check_keys`]
    /// reports missing keys.
    pub fn of(
        file: StudyFile,
        found: Vec<Finding>,
        known: &mut KnownModels,
        hub: &Hub,
        runs: bool,
    ) -> Result<Self> {
        let findings = Findings::of(found);
        let designs = designs(&file, &findings);
        let beside = tasks_beside(&file, &findings);
        check_calibration(&file, &findings);
        for name in &file.reports {
            if let Err(error) = report::find(&name.value) {
                findings.add_error(name.line, &error);
            }
        }
        let folder = file.path.parent().unwrap_or(Path::new("")).to_owned();
        let models = resolve(&file.open, &folder, known, hub, &findings);
        let mut closed: Vec<ClosedTarget> = vec![];
        for target in &file.closed {
            let weights = target.weights.as_ref().and_then(|name| {
                let opened = opened_by(&name.value, &folder);
                known.describe(&opened, hub).map_err(|error| findings.add_error(name.line, &error)).ok()
            });
            check_apart(target, weights.as_ref(), &models, &findings);
            let api = target.provider.as_ref().and_then(|name| api(target, name, &findings));
            closed.push(ClosedTarget { closed: target.clone(), api, weights });
        }
        if findings.any() {
            closed.iter().filter(|_| runs).for_each(|target| target.check_key(&findings));
            return Err(findings.into_error(&file.path));
        }
        Ok(Self { file, designs, beside, models, closed })
    }

    /// Checks the environment for the keys of the closed models with these ids.
    ///
    /// # Errors
    /// [`Error::StudyFile`](crate::Error::StudyFile) with every environment variable that is missing.
    pub fn check_keys(&self, asked: &[&str]) -> Result<()> {
        let findings = Findings::of(vec![]);
        let is_asked = |target: &&ClosedTarget| asked.contains(&target.closed.id.as_str());
        self.closed.iter().filter(is_asked).for_each(|target| target.check_key(&findings));
        if findings.any() { Err(findings.into_error(&self.file.path)) } else { Ok(()) }
    }

    /// Redacts the keys of the closed models in a text.
    pub fn redacted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for api in self.closed.iter().filter_map(|target| target.api.as_ref()) {
            if let Ok(secrets) = api.secrets() {
                text = secrets.redact_text(&text).into_owned();
            }
        }
        text
    }

    /// The questions for a model; `logprobs` as in [`SemanticQuestions`].
    pub(super) fn questions(&self, logprobs: bool) -> SemanticQuestions {
        let design = &self.file.design;
        SemanticQuestions {
            corpora: design.corpora.iter().map(|corpus| corpus.value.clone()).collect(),
            shots: design.shots.clone(),
            sets: design.sets,
            queries: design.queries,
            form: design.form.value.clone(),
            seed: self.file.seed,
            logprobs,
        }
    }
}

fn designs(file: &StudyFile, findings: &Findings) -> Vec<FactorialDesign> {
    let design = &file.design;
    let form = PromptForm::find(&design.form.value).unwrap_or_else(|| {
        let names: Vec<&str> = PromptForm::names().collect();
        let reason = format!("`form` must be one of {}, but is {}", names.join(", "), design.form.value);
        findings.add(design.form.line, reason);
        DesignSettings::default().form
    });
    let how = DesignSettings {
        sets: design.sets,
        queries: design.queries,
        shots: design.shots.clone(),
        seed: file.seed,
        form,
    };
    let mut designs: Vec<FactorialDesign> = vec![];
    for corpus in &design.corpora {
        let drawn = Category::load(&corpus.value).and_then(|category| FactorialDesign::draw(&category, &how));
        match drawn {
            Ok(drawn) if designs.iter().any(|other| other.category == drawn.category) => {
                findings.add(corpus.line, format!("{} is listed twice", drawn.category));
            }
            Ok(drawn) => designs.push(drawn),
            Err(error) => findings.add_error(corpus.line, &error),
        }
    }
    designs
}

/// How to draw the tasks in addition to the designs.
pub(super) fn task_options(seed: u64) -> TaskOptions {
    TaskOptions {
        shots: TASK_SHOTS,
        items: TASK_ITEMS,
        seed,
        rendering: Rendering::Text,
        grader: Grader::default(),
    }
}

fn tasks_beside(file: &StudyFile, findings: &Findings) -> Questions {
    let options = task_options(file.seed);
    let load = |names: &[String]| tasks::load(names, &options);
    let mut names: Vec<String> = vec![];
    let mut questions = Questions::default();
    for task in &file.design.tasks {
        names.push(task.value.clone());
        match load(std::slice::from_ref(&task.value)).and_then(|own| load(&names).map(|_| own)) {
            Err(error) => findings.add_error(task.line, &error),
            Ok(loaded) => {
                // `load` has already reported items that cannot be read.
                for item in loaded.iter().flat_map(|task| task.items.iter()).flatten() {
                    questions.calls += item.prompts.len();
                    let bytes = item.prompts.iter().map(bytes).sum::<usize>();
                    questions.tokens += bytes as f64 / CHARS_PER_TOKEN;
                }
            }
        }
    }
    questions
}

/// Length of a prompt in bytes, which approximates the number of characters.
fn bytes(prompt: &Prompt) -> usize {
    match prompt {
        Prompt::Text(text) => text.len(),
        Prompt::Messages(messages) => messages.iter().map(|message| message.content.len()).sum(),
    }
}

fn check_calibration(file: &StudyFile, findings: &Findings) {
    let calibration = &file.calibration;
    let responses = observations::semantic::responses();
    let target = &calibration.target;
    if !responses.contains(&target.value) {
        let hint = names::suggestion(&target.value, responses.iter().map(String::as_str));
        findings.add(
            target.line,
            format!("unknown target `{}`; {hint}the targets are {}", target.value, responses.join(", ")),
        );
    }
    let columns = observations::semantic::columns();
    for feature in &calibration.features {
        let name = &feature.value;
        if responses.contains(name) {
            let reason = format!(
                "feature `{name}` is measured inside a model and cannot be observed for a closed model; \
                 leave it out"
            );
            findings.add(feature.line, reason);
        } else if name == super::card::SIZE {
            let reason = format!(
                "feature `{name}` is the model size; leave it out, and set `sizes = true` if sizes are \
                 published"
            );
            findings.add(feature.line, reason);
        } else if !columns.contains(name) && !name.starts_with("score_") {
            let hint = names::suggestion(name, columns.iter().map(String::as_str));
            let known = columns.join(", ");
            findings.add(feature.line, format!("unknown feature `{name}`; {hint}the columns are {known}"));
        }
    }
}

/// Checks that a closed model has neither the name nor the weights of an open model.
fn check_apart(
    target: &ClosedModel,
    weights: Option<&StudyModel>,
    models: &[StudyModel],
    findings: &Findings,
) {
    let name = disk::id_in_file_names(&target.id);
    if models.iter().any(|model| disk::id_in_file_names(&model.info.id) == name) {
        let reason = format!("{} is also the name of an open model; rename one of them", target.id);
        findings.add(target.line, reason);
    }
    let same = |model: &&StudyModel| {
        weights.is_some_and(|weights| weights.info.weights_sha256 == model.info.weights_sha256)
    };
    if let Some(same) = models.iter().find(same) {
        let reason = format!(
            "{} has the weights of the open model {}, so its prediction would test nothing; leave one of \
             them out",
            target.id, same.info.id
        );
        findings.add(target.line, reason);
    }
}

fn api(target: &ClosedModel, name: &Located<String>, findings: &Findings) -> Option<Api> {
    let price = target.prices.as_ref().and_then(|file| {
        let price = Price::read(&file.value, &target.model);
        price.map_err(|error| findings.add_error(file.line, &error)).ok()
    });
    if target.budget_usd.is_some() && target.prices.is_none() {
        let reason = format!("`budget_usd` of {} needs `prices`, the path of the price file", target.id);
        findings.add(target.line, reason);
    }
    let provider = provider::find(&name.value).map_err(|error| findings.add_error(name.line, &error)).ok();
    if let Some(provider) = provider.filter(|provider| target.batch && provider.batch().is_none()) {
        let reason =
            format!("`batch` of {} is not supported: {} has no batch API", target.id, provider.name());
        findings.add(target.line, reason);
    }
    let default_url = || provider.map_or(String::new(), |provider| provider.default_base_url().to_owned());
    // Without a provider and without a base URL, there is no address to check.
    let url = target.base_url.clone();
    if provider.is_none() && url.is_none() {
        return None;
    }
    let line = url.as_ref().map_or(target.line, |url| url.line);
    let base_url = url.map_or_else(default_url, |url| url.value);
    let endpoint = Endpoint::new(&base_url).map_err(|error| findings.add_error(line, &error)).ok();
    let is_local = endpoint.is_some_and(|endpoint| endpoint.is_local());
    if !is_local && target.budget_usd.is_none() && !target.no_budget {
        let reason =
            format!("{} has no budget: set `budget_usd` and `prices`, or `no_budget = true`", target.id);
        findings.add(target.line, reason);
    }
    Some(Api { provider: provider?, base_url, price })
}
