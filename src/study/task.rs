//! Defines the tasks of a study, with their inputs and estimated costs. Tasks are independent of each other.
//! Each task is identified by the hash of all inputs that determine its result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::asking::ANSWER_TOKENS;
use super::checked::{CHARS_PER_TOKEN, ClosedTarget, Study};
use super::models::StudyModel;
use crate::corpus::FactorialDesign;
use crate::disk;
use crate::seed;

/// The kind of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Measures an open model on a corpus.
    Measure,
    /// Serves a model on this machine and asks it all questions.
    Ask,
    /// Asks a closed model over the network.
    Collect,
    /// Measures the weights of a closed model after its predictions are written.
    Check,
}

impl TaskKind {
    /// The name of the kind in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Measure => "measure",
            Self::Ask => "ask",
            Self::Collect => "collect",
            Self::Check => "check",
        }
    }
}

/// The models and designs of a task, as indices into the study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Measure an open model on a design.
    Open { model: usize, design: usize },
    /// Ask an open model all questions.
    Questions { model: usize },
    /// Ask a closed model all questions.
    Closed { target: usize },
    /// Measure the weights of a closed model on a design.
    Weights { target: usize, design: usize },
}

/// One task.
#[derive(Debug, Clone)]
pub struct StudyTask {
    /// Id of the task, such as `measure factgpt-1 moons`.
    pub id: String,
    /// Kind of the task.
    pub kind: TaskKind,
    /// Id of the model in tables.
    pub model: String,
    /// The corpus; empty if the task covers all corpora.
    pub corpus: String,
    /// SHA-256 of all inputs that determine the result.
    pub key: String,
    /// The inputs that determine the result, by name.
    pub inputs: BTreeMap<&'static str, String>,
    /// The estimated cost.
    pub cost: TaskCost,
    pub(super) subject: Subject,
}

/// The estimated cost of a task.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TaskCost {
    /// Time on this machine, in seconds.
    pub seconds: f64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Number of requests.
    pub calls: usize,
    /// Prompt and completion tokens.
    pub tokens: u64,
}

/// Floating-point operations per second and core when computing states, measured with models of 10 thousand
/// to 270 million parameters.
const FLOPS_PER_CORE: f64 = 20e9;
/// Seconds per request to a model on this machine, measured with the same models.
const SECONDS_PER_CALL: f64 = 0.0015;
/// Assumed seconds per answer over a network, until answers have been timed.
const SECONDS_PER_ANSWER: f64 = 1.0;
/// Seconds to load a model and start a server.
const SECONDS_PER_TASK: f64 = 0.1;
/// Approximate number of tokens of a short answer.
const ANSWER_LENGTH: usize = 3;
/// Fraction of the tokens of a design that a model computes. The other tokens belong to prefixes that several
/// prompts share.
const DISTINCT: f64 = 0.6;

impl StudyTask {
    fn new(
        kind: TaskKind,
        (model, corpus): (&str, &str),
        inputs: impl IntoIterator<Item = (&'static str, String)>,
        cost: TaskCost,
        subject: Subject,
    ) -> Self {
        let inputs: BTreeMap<&'static str, String> = inputs.into_iter().collect();
        let lines: String = inputs.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let key = seed::sha256_hex(format!("{}\n{lines}", kind.name()).as_bytes());
        let id = [kind.name(), model, corpus].join(" ").trim_end().to_owned();
        Self { id, kind, model: model.into(), corpus: corpus.into(), key, inputs, cost, subject }
    }
}

/// The tasks of a study, in the order of the study file.
pub fn tasks(study: &Study) -> Vec<StudyTask> {
    let mut all: Vec<StudyTask> = vec![];
    for (at, model) in study.models.iter().enumerate() {
        for (of, design) in study.designs.iter().enumerate() {
            let subject = Subject::Open { model: at, design: of };
            all.push(measured(TaskKind::Measure, study, &model.info.id, model, design, subject));
        }
        all.push(asked(study, &model.info.id, model, Subject::Questions { model: at }));
    }
    for (at, target) in study.closed.iter().enumerate() {
        let ClosedTarget { closed, api, weights } = target;
        let subject = Subject::Closed { target: at };
        match (api, weights) {
            (Some(api), _) => {
                let mut inputs = question_inputs(study);
                inputs.push(("provider", api.provider.name().into()));
                inputs.push(("base_url", api.base_url.clone()));
                inputs.push(("model", closed.model.clone()));
                inputs.push(("id", closed.id.clone()));
                inputs.push(("max_tokens", closed.max_tokens.map_or("default".into(), |n| n.to_string())));
                let cost = api_cost(study, true);
                let seconds = cost.calls as f64 * SECONDS_PER_ANSWER / closed.concurrency as f64;
                let cost = TaskCost { seconds, ..cost };
                all.push(StudyTask::new(TaskKind::Collect, (&closed.id, ""), inputs, cost, subject));
            }
            (None, Some(weights)) => all.push(asked(study, &closed.id, weights, subject)),
            (None, None) => {}
        }
    }
    for (at, target) in study.closed.iter().enumerate() {
        let Some(weights) = &target.weights else { continue };
        for (of, design) in study.designs.iter().enumerate() {
            let subject = Subject::Weights { target: at, design: of };
            all.push(measured(TaskKind::Check, study, &target.closed.id, weights, design, subject));
        }
    }
    all
}

fn measured(
    kind: TaskKind,
    study: &Study,
    id: &str,
    model: &StudyModel,
    design: &FactorialDesign,
    subject: Subject,
) -> StudyTask {
    let random_init = study.file.design.random_init && kind == TaskKind::Measure;
    let inputs = [
        ("id", id.to_owned()),
        ("model_sha256", model.sha256.clone()),
        ("design_sha256", design.sha256()),
        ("shots", format!("{:?}", design.shots)),
        ("seed", study.file.seed.to_string()),
        ("random_init", random_init.to_string()),
        ("surmise", env!("CARGO_PKG_VERSION").into()),
    ];
    let tokens = tokens(design) * DISTINCT;
    let times = if random_init { 2.0 } else { 1.0 };
    let (params, blocks) = (model.info.n_params as f64, model.info.n_layers as f64);
    let sets = study.file.design.sets;
    let reads = (design.relations.len() * design.queries.len() * sets) as f64;
    // The states of each prompt are compared with the states of all other prompts of the same query.
    let per_query = (design.relations.len() * sets) as f64;
    let estimates =
        2.0 * reads * per_query * model.info.d_model as f64 * blocks * 5.0 * design.shots.len() as f64;
    let seconds = times * (2.0 * params * tokens + estimates) / flops() + SECONDS_PER_TASK;
    let states = 4.0 * reads * design.shots.len() as f64 * model.info.d_model as f64 * (blocks + 1.0);
    let memory_bytes = (times * (4.0 * params + states)) as u64 + (64 << 20);
    let cost = TaskCost { seconds, memory_bytes, calls: 0, tokens: (times * tokens) as u64 };
    StudyTask::new(kind, (id, &design.category), inputs, cost, subject)
}

fn asked(study: &Study, id: &str, model: &StudyModel, subject: Subject) -> StudyTask {
    let mut inputs = question_inputs(study);
    inputs.push(("id", id.to_owned()));
    inputs.push(("model_sha256", model.sha256.clone()));
    inputs.push(("logprobs", matches!(subject, Subject::Closed { .. }).to_string()));
    inputs.push(("max_tokens", ANSWER_TOKENS.to_string()));
    inputs.push(("surmise", env!("CARGO_PKG_VERSION").into()));
    let is_closed = matches!(subject, Subject::Closed { .. });
    let TaskCost { calls, tokens, .. } = api_cost(study, is_closed);
    let flops_of = 2.0 * model.info.n_params as f64 * tokens as f64;
    let seconds = flops_of / (flops() / 2.0) + calls as f64 * SECONDS_PER_CALL + SECONDS_PER_TASK;
    let memory_bytes = 4 * model.info.n_params as u64 + (64 << 20);
    StudyTask::new(
        TaskKind::Ask,
        (id, ""),
        inputs,
        TaskCost { seconds, memory_bytes, calls, tokens },
        subject,
    )
}

/// The inputs that determine the questions.
fn question_inputs(study: &Study) -> Vec<(&'static str, String)> {
    let designs: Vec<String> = study.designs.iter().map(FactorialDesign::sha256).collect();
    let tasks = study.file.design.tasks.iter().map(|task| {
        // A task file is identified by its content, and a built-in task by its name.
        let bytes = disk::read(&task.value).unwrap_or_else(|_| task.value.clone().into_bytes());
        seed::sha256_hex(&bytes)
    });
    vec![
        ("designs_sha256", designs.join(" ")),
        ("shots", format!("{:?}", study.file.design.shots)),
        ("tasks", tasks.collect::<Vec<_>>().join(" ")),
        ("seed", study.file.seed.to_string()),
    ]
}

/// Requests and tokens of all questions. Each prompt needs one request for the answer and, with `logprobs`,
/// one more per relation, which scores the answer of that relation.
fn api_cost(study: &Study, logprobs: bool) -> TaskCost {
    let (mut calls, mut tokens_of_all) = (0, 0.0);
    for design in &study.designs {
        let (relations, queries) = (design.relations.len(), design.queries.len());
        let prompts = relations * queries * study.file.design.sets * design.shots.len();
        let times = if logprobs { 1 + relations } else { 1 };
        calls += prompts * times;
        tokens_of_all += (tokens(design) + (prompts * ANSWER_LENGTH) as f64) * times as f64;
    }
    calls += study.beside.calls;
    tokens_of_all += study.beside.tokens;
    TaskCost { calls, tokens: tokens_of_all as u64, ..TaskCost::default() }
}

/// Approximate number of tokens of all prompts of a design.
fn tokens(design: &FactorialDesign) -> f64 {
    let chars = |shots: &usize| design.texts(*shots).map(|prompt| prompt.text.len()).sum::<usize>();
    design.shots.iter().map(chars).sum::<usize>() as f64 / CHARS_PER_TOKEN
}

fn flops() -> f64 {
    FLOPS_PER_CORE * rayon::current_num_threads() as f64
}
