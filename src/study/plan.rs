//! Estimates the cost of a study before it runs: tasks, requests, tokens, dollars, time and memory.

use serde::Serialize;

use super::asking::{ANSWER_TOKENS, HERE, PROVIDER};
use super::checked::{ClosedTarget, Study};
use super::parts::parts;
use super::results::{StudyFolder, TaskState};
use super::task::{StudyTask, Subject, TaskKind};
use crate::collect::budget::estimate::{Estimate, Sending, estimate};
use crate::collect::plan::RedoSelection;
use crate::error::Result;
use crate::provider;

/// A task of a plan: a row of `surmise plan --csv`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanRow {
    /// Id of the task.
    pub task: String,
    /// Kind of the task.
    pub kind: TaskKind,
    /// The model.
    pub model: String,
    /// The corpus; empty if the task covers all corpora.
    pub corpus: String,
    /// `done`, `running`, `failed` or `missing`.
    pub status: &'static str,
    /// Duration in seconds, or its estimate. Empty for an API that has not answered yet.
    pub seconds: Option<f64>,
    /// Estimated memory in bytes.
    pub memory_bytes: u64,
    /// Remaining requests.
    pub calls: usize,
    /// Estimated remaining prompt tokens. For an API this is an upper bound.
    pub prompt_tokens: u64,
    /// Upper bound of the remaining completion tokens.
    pub completion_tokens: u64,
    /// Lower bound of the remaining cost in US dollars; empty without prices.
    pub usd_low: Option<f64>,
    /// Upper bound of the remaining cost in US dollars; empty without prices.
    pub usd_high: Option<f64>,
    /// Start of the hash of all inputs that determine the result.
    pub key: String,
}

/// The tasks of a study with their remaining cost. Sends no request and writes no file.
///
/// # Errors
/// Errors of estimating the requests of a closed model.
pub fn plan(study: &Study, tasks: &[StudyTask], folder: &StudyFolder) -> Result<Vec<PlanRow>> {
    let speed = speed(tasks, folder);
    tasks.iter().map(|task| row(study, task, folder, speed)).collect()
}

/// Ratio of actual to estimated duration of the finished tasks; 1 if none is finished.
fn speed(tasks: &[StudyTask], folder: &StudyFolder) -> f64 {
    let local = tasks.iter().filter(|task| task.kind != TaskKind::Collect);
    let done = local.filter_map(|task| Some((folder.done(task)?.seconds, task.cost.seconds)));
    let (took, estimated) = done.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if took > 0.0 && estimated > 0.0 { took / estimated } else { 1.0 }
}

fn row(study: &Study, task: &StudyTask, folder: &StudyFolder, speed: f64) -> Result<PlanRow> {
    let (status, took) = match folder.state(task) {
        TaskState::Done(done) => ("done", Some(done.seconds)),
        TaskState::Running { .. } => ("running", None),
        TaskState::Failed(_) => ("failed", None),
        TaskState::Missing => ("missing", None),
    };
    let mut row = PlanRow {
        task: task.id.clone(),
        kind: task.kind,
        model: task.model.clone(),
        corpus: task.corpus.clone(),
        status,
        seconds: took.or(Some(task.cost.seconds * speed)),
        memory_bytes: task.cost.memory_bytes,
        calls: 0,
        prompt_tokens: 0,
        completion_tokens: 0,
        usd_low: None,
        usd_high: None,
        key: task.key[..16].to_owned(),
    };
    if status == "done" {
        return Ok(row);
    }
    (row.calls, row.prompt_tokens) = (task.cost.calls, task.cost.tokens);
    let closed = match task.subject {
        Subject::Closed { target } => Some(&study.closed[target]),
        _ => None,
    };
    let api = closed.and_then(|target| target.api.as_ref());
    // Only tasks that ask questions can have stored answers, and a local model without a journal has none.
    // Without stored answers, the estimate of the whole task is what remains.
    if !matches!(task.kind, TaskKind::Ask | TaskKind::Collect)
        || (api.is_none() && !folder.answers(&task.model).join("journal.jsonl").is_file())
    {
        return Ok(row);
    }
    let questions = study.questions(closed.is_some());
    let (configuration, concurrency) = match (api, closed) {
        (Some(api), Some(ClosedTarget { closed, .. })) => {
            let asked = (api.base_url.as_str(), closed.model.as_str());
            (questions.configuration(api.provider, asked, closed.max_tokens), closed.concurrency)
        }
        _ => {
            let asked = (HERE, task.model.as_str());
            (questions.configuration(provider::find(PROVIDER)?, asked, Some(ANSWER_TOKENS)), 1)
        }
    };
    let by_batch = closed.is_some_and(|target| target.closed.batch);
    let price = api.and_then(|api| api.price.clone());
    let mut left = vec![];
    for (own, mut configuration, _) in parts(study, folder, &task.model, configuration) {
        let again = RedoSelection::default();
        let sending = Sending { concurrency, by_batch, checks_first: true };
        left.push(estimate(&own, &mut configuration, &again, true, price.clone(), sending)?);
    }
    let calls = left.iter().map(|left| left.n_calls).sum();
    if api.is_none() {
        let share = calls as f64 / row.calls.max(1) as f64;
        row.prompt_tokens = (row.prompt_tokens as f64 * share) as u64;
        row.seconds = row.seconds.map(|seconds| seconds * share);
        row.calls = calls;
        return Ok(row);
    }
    row.calls = calls;
    row.prompt_tokens = left.iter().map(|left| left.prompt_tokens.1).sum();
    row.completion_tokens = left.iter().map(|left| left.completion_tokens.1).sum();
    let batch_s =
        |left: &Estimate| left.batch_time_s.map(|seconds| if left.n_calls == 0 { 0.0 } else { seconds });
    row.seconds = left.iter().map(|left| if by_batch { batch_s(left) } else { left.time_s }).sum();
    let cost_usd = |left: &Estimate| if by_batch { left.batch_cost_usd } else { left.cost_usd };
    let costs: Option<Vec<(f64, f64)>> = left.iter().map(cost_usd).collect();
    let cost =
        costs.map(|costs| costs.into_iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1)));
    (row.usd_low, row.usd_high) = cost.unzip();
    Ok(row)
}
