//! Estimates the number of requests and the cost of a run, without sending anything.

use std::path::Path;

use super::ledger::Budget;
use super::price::Price;
use super::tokens::{self, TokenBounds, add};
use crate::collect::configuration::Configuration;
use crate::collect::first_answers::before_batches;
use crate::collect::journal::Index;
use crate::collect::plan::RedoSelection;
use crate::collect::probe;
use crate::error::Result;

/// Time in seconds within which providers process a batch.
const BATCH_TIME_S: f64 = 86_400.0;

/// The estimate of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Number of requests that would be sent, including probes.
    pub n_calls: usize,
    /// Number of questions that need no request, because they already have an outcome or share a request with
    /// another question.
    pub n_cached: usize,
    /// Bounds of the number of tokens in all prompts.
    pub prompt_tokens: (u64, u64),
    /// Bounds of the number of tokens in all answers.
    pub completion_tokens: (u64, u64),
    /// Bounds of the cost in USD, if prices are known.
    pub cost_usd: Option<(f64, f64)>,
    /// Bounds of the cost in USD if the questions are asked in batches. Includes the probes and the first
    /// questions, which are sent individually. `None` if prices are unknown or the provider has no batch API.
    pub batch_cost_usd: Option<(f64, f64)>,
    /// Maximum duration of a batch in seconds, if the provider has a batch API.
    pub batch_time_s: Option<f64>,
    /// Number of questions in batches that have not ended.
    pub n_in_batches: usize,
    /// Duration in seconds at the requested concurrency, computed from the mean duration of the answers in
    /// the folder. `None` if the folder has no answers.
    pub time_s: Option<f64>,
    /// Cost of the requests in this folder so far, in USD, if it is known.
    pub spent_usd: Option<f64>,
    /// The first request that would be sent.
    pub first: Option<String>,
}

/// How the questions would be sent.
#[derive(Debug, Clone, Copy)]
pub struct Sending {
    /// Number of requests in flight at the same time.
    pub concurrency: usize,
    /// Whether the questions would be sent in batches.
    pub by_batch: bool,
    /// Whether some questions would be sent individually before batches, to check their answers.
    pub checks_first: bool,
}

/// Estimates the number and cost of the requests that a run would send to complete a folder. Writes nothing
/// and needs no API key.
///
/// # Errors
/// Returns the errors that a run returns before it sends a request.
pub fn estimate(
    folder: &Path,
    configuration: &mut Configuration,
    again: &RedoSelection,
    new_config: bool,
    price: Option<Price>,
    sending: Sending,
) -> Result<Estimate> {
    let index = Index::read(folder)?;
    configuration.check_apart(folder)?;
    let tasks = configuration.load_tasks()?;
    configuration.reconcile(&index, folder, new_config)?;
    let plan = configuration.plan(tasks)?;
    if sending.by_batch {
        plan.check_batches()?;
    }
    let pending = plan.pending(&index, again)?;
    let (mut prompts, mut answers) = tokens::of(&plan, &pending.questions)?;
    let before = if sending.checks_first { before_batches(&plan, &pending) } else { vec![] };
    let (first_prompts, first_answers) = tokens::of(&plan, &before)?;
    let of_batches = |all: TokenBounds, alone: TokenBounds| (all.0 - alone.0, all.1 - alone.1);
    let (asked_prompts, asked_answers) =
        (of_batches(prompts, first_prompts), of_batches(answers, first_answers));
    // Before the first question of a configuration, a run sends probes.
    let mut n_probes = 0;
    for request in probe::requests(&plan).iter().filter(|_| !pending.questions.is_empty()) {
        let wire = plan.provider.render(request)?;
        if !index.probed.contains_key(&plan.key(&wire, 0)) {
            add(request, &mut prompts, &mut answers);
            n_probes += 1;
        }
    }
    let wire = plan.provider.batch();
    let budget = Budget::new(price.map(|price| plan.with_batch_factor(price)), None, 0.0);
    let cost = |prompt, answer| budget.cost_usd(prompt, answer);
    let by_batch = |all: (u64, u64), asked: (u64, u64)| {
        let alone = cost(all.0 - asked.0, all.1 - asked.1)?;
        Some(budget.batch_cost_usd(asked.0, asked.1)? + alone)
    };
    let batch_cost_usd = by_batch((prompts.0, answers.0), (asked_prompts.0, asked_answers.0))
        .zip(by_batch((prompts.1, answers.1), (asked_prompts.1, asked_answers.1)));
    let first = pending.questions.first();
    let first =
        first.map(|first| plan.provider.render(&plan.request(&plan.item(first)?, first))).transpose()?;
    let n_calls = pending.questions.len() + n_probes;
    let seconds_each = (index.n_answered > 0).then(|| index.answered_s / index.n_answered as f64);
    Ok(Estimate {
        n_calls,
        n_cached: pending.n_wanted - pending.questions.len() - pending.n_in_batches,
        prompt_tokens: prompts,
        completion_tokens: answers,
        cost_usd: cost(prompts.0, answers.0).zip(cost(prompts.1, answers.1)),
        batch_cost_usd: batch_cost_usd.filter(|_| wire.is_some()),
        batch_time_s: wire.map(|_| BATCH_TIME_S),
        n_in_batches: pending.n_in_batches,
        time_s: seconds_each.map(|seconds| seconds * (n_calls as f64 / sending.concurrency as f64).ceil()),
        spent_usd: index.has_costs.then_some(index.spent_usd),
        first: first.map(|wire| {
            format!("POST {}{}\n{}", plan.endpoint.name(), wire.path, String::from_utf8_lossy(&wire.body))
        }),
    })
}
