//! A study whose names, files, prices and keys were all looked up: everything that can be wrong before a task
//! runs.

use std::path::Path;

use super::asking::SemanticQuestions;
use super::file::{ClosedModel, Findings, Located, StudyFile};
use super::models::{KnownModels, StudyModel, opened_by, resolve};
use crate::collect::Grader;
use crate::collect::budget::price::Price;
use crate::collect::client::endpoint::Endpoint;
use crate::collect::secrets::Secrets;
use crate::collect::tasks::{self, Rendering, TaskOptions};
use crate::corpus::{Category, DesignSettings, FactorialDesign, PromptForm};
use crate::error::Result;
use crate::model::hub::Hub;
use crate::names;
use crate::observations;
use crate::provider::{self, Provider};
use crate::report;

/// A study that can run.
pub struct Study {
    /// The file.
    pub file: StudyFile,
    /// The designs, one for each corpus.
    pub designs: Vec<FactorialDesign>,
    /// The open models.
    pub models: Vec<StudyModel>,
    /// The closed models.
    pub closed: Vec<ClosedTarget>,
}

/// A closed model with what it is reached by.
pub struct ClosedTarget {
    /// What the file says.
    pub closed: ClosedModel,
    /// Its API; none if its weights are served on this machine.
    pub api: Option<Api>,
    /// Its weights, measured after the predictions are on disk.
    pub weights: Option<StudyModel>,
}

/// An API.
pub struct Api {
    /// The wire format.
    pub provider: &'static dyn Provider,
    /// Its address.
    pub base_url: String,
    /// The price, if there is a file of prices.
    pub price: Option<Price>,
}

/// Items per relation of tasks that are drawn, and most shots of them.
pub(super) const TASK_ITEMS: usize = 100;
pub(super) const TASK_SHOTS: usize = 4;

impl Study {
    /// Looks everything up that a study file names. `known` holds the hashes of weights that were seen
    /// before. `needs_keys` is false where nothing is asked.
    ///
    /// # Errors
    /// [`Error::StudyFile`](crate::Error::StudyFile) with every mistake.
    pub fn of(file: StudyFile, known: &mut KnownModels, hub: &Hub, needs_keys: bool) -> Result<Self> {
        let findings = Findings::new("");
        let designs = designs(&file, &findings);
        check_tasks(&file, &findings);
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
            let api = target.provider.as_ref().and_then(|name| api(target, name, needs_keys, &findings));
            closed.push(ClosedTarget { closed: target.clone(), api, weights });
        }
        if findings.any() {
            return Err(findings.into_error(&file.path));
        }
        Ok(Self { file, designs, models, closed })
    }

    /// A text without the keys of the closed models.
    pub fn redacted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for api in self.closed.iter().filter_map(|target| target.api.as_ref()) {
            let is_local = Endpoint::new(&api.base_url).is_ok_and(|endpoint| endpoint.is_local());
            if let Ok(secrets) = Secrets::from_env(api.provider.key_variable(), &api.base_url, is_local) {
                text = secrets.redact_text(&text).into_owned();
            }
        }
        text
    }

    /// What a model is asked; `logprobs` as in [`SemanticQuestions`].
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
    let Some(form) = PromptForm::find(&design.form.value) else {
        let names: Vec<&str> = PromptForm::names().collect();
        let reason = format!("`form` must be one of {}, and is {}", names.join(", "), design.form.value);
        findings.add(design.form.line, reason);
        return vec![];
    };
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
                findings.add(corpus.line, format!("{} is named twice", drawn.category));
            }
            Ok(drawn) => designs.push(drawn),
            Err(error) => findings.add_error(corpus.line, &error),
        }
    }
    designs
}

/// How the tasks beside the designs are drawn.
pub(super) fn task_options(seed: u64) -> TaskOptions {
    TaskOptions {
        shots: TASK_SHOTS,
        items: TASK_ITEMS,
        seed,
        rendering: Rendering::Text,
        grader: Grader::default(),
    }
}

fn check_tasks(file: &StudyFile, findings: &Findings) {
    for task in &file.design.tasks {
        if let Err(error) = tasks::load(std::slice::from_ref(&task.value), &task_options(file.seed)) {
            findings.add_error(task.line, &error);
        }
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
                "feature `{name}` is measured inside a model, and not known of a closed one; leave it out"
            );
            findings.add(feature.line, reason);
        } else if name == super::card::SIZE {
            let reason = format!(
                "feature `{name}` is the size; leave it out, and set `sizes = true` where sizes are published"
            );
            findings.add(feature.line, reason);
        } else if !columns.contains(name) && !name.starts_with("score_") {
            let hint = names::suggestion(name, columns.iter().map(String::as_str));
            let known = columns.join(", ");
            findings.add(feature.line, format!("unknown feature `{name}`; {hint}the columns are {known}"));
        }
    }
}

/// A model that is closed is not among the open ones.
fn check_apart(
    target: &ClosedModel,
    weights: Option<&StudyModel>,
    models: &[StudyModel],
    findings: &Findings,
) {
    if models.iter().any(|model| model.info.id == target.id) {
        let reason = format!("{} is the name of an open model as well; give one of them another", target.id);
        findings.add(target.line, reason);
    }
    let same = |model: &&StudyModel| {
        weights.is_some_and(|weights| weights.info.weights_sha256 == model.info.weights_sha256)
    };
    if let Some(same) = models.iter().find(same) {
        let reason = format!(
            "{} has the weights of the open model {}, from which it would be predicted; leave that one out",
            target.id, same.info.id
        );
        findings.add(target.line, reason);
    }
}

fn api(target: &ClosedModel, name: &Located<String>, needs_keys: bool, findings: &Findings) -> Option<Api> {
    let provider = provider::find(&name.value).map_err(|error| findings.add_error(name.line, &error)).ok()?;
    let url = target.base_url.clone();
    let line = url.as_ref().map_or(target.line, |url| url.line);
    let base_url = url.map_or_else(|| provider.default_base_url().to_owned(), |url| url.value);
    let endpoint = Endpoint::new(&base_url).map_err(|error| findings.add_error(line, &error)).ok()?;
    let price = target.prices.as_ref().and_then(|file| {
        let price = Price::read(&file.value, &target.model);
        price.map_err(|error| findings.add_error(file.line, &error)).ok()
    });
    let is_local = endpoint.is_local();
    if needs_keys && let Err(error) = Secrets::from_env(provider.key_variable(), &base_url, is_local) {
        findings.add_error(target.line, &error);
    }
    if target.budget_usd.is_some() && target.prices.is_none() {
        findings
            .add(target.line, format!("`budget_usd` of {} needs `prices`, the file they are in", target.id));
    }
    if !is_local && target.budget_usd.is_none() && !target.no_budget {
        let reason =
            format!("{} has no budget: give `budget_usd` and `prices`, or `no_budget = true`", target.id);
        findings.add(target.line, reason);
    }
    Some(Api { provider, base_url, price })
}
