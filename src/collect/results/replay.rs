//! Computes the results from the journal. The journal is read from disk, item by item, so the results depend
//! only on the stored answers, not on their order.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::check::RunCheck;
use super::decode;
use super::item_row::Replicate;
use super::semantic::SemanticAnswers;
use super::writer::Results;
use crate::collect::budget::ledger::Budget;
use crate::collect::configuration::Configuration;
use crate::collect::journal;
use crate::collect::journal::{
    Index, JournalReader, OutcomeRecord, QuestionKey, QuestionState, Record, RouteTotals,
};
use crate::collect::plan::{KeyedQuestion, Plan, RedoSelection};
use crate::collect::tasks::Item;
use crate::disk::{self, Schema};
use crate::error::{Error, Result};
use crate::provider::{Answer, Outcome, Usage};

/// Sums of counted tokens. They exclude answers without counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TokenTotals {
    /// Tokens of prompts, including cached tokens.
    pub prompt: u64,
    /// Prompt tokens that were read from a cache.
    pub cached: u64,
    /// Tokens of answers, including reasoning.
    pub completion: u64,
    /// Answer tokens that are reasoning.
    pub reasoning: u64,
}

impl TokenTotals {
    fn add(&mut self, usage: &Usage) {
        let counts =
            [usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, usage.reasoning_tokens];
        let sums = [&mut self.prompt, &mut self.cached, &mut self.completion, &mut self.reasoning];
        for (sum, count) in sums.into_iter().zip(counts) {
            *sum = sum.saturating_add(count.unwrap_or(0));
        }
    }
}

/// The summary of a folder, the content of summary.json.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FolderSummary {
    /// Schema of summary.json.
    pub schema: Schema,
    /// Number of requested answers.
    pub n_questions: u64,
    /// Number of answers by outcome; `not_asked` for questions without a request, and `in_batch` for
    /// questions that a batch has not answered yet.
    pub outcomes: BTreeMap<String, u64>,
    /// Number of requests sent in all runs, including probes.
    pub n_requests: u64,
    /// Number of requests that may have been billed.
    pub n_possibly_paid: u64,
    /// Cost of all runs, including requests that may have been billed; `None` if prices are unknown.
    pub spent_usd: Option<f64>,
    /// Part of `spent_usd` for requests that may have been billed.
    pub possibly_paid_usd: Option<f64>,
    /// Number of requests that were or may have been billed while no price was known, plus the number of
    /// requests in batches that were created without a price. `spent_usd` excludes their cost.
    pub n_unpriced: u64,
    /// Number of requests in batches that have not ended.
    pub n_in_batches: u64,
    /// Maximum cost of the requests in batches that have not ended. `spent_usd` excludes it. `None` if prices
    /// are unknown, or were unknown when such a batch was created.
    pub reserved_usd: Option<f64>,
    /// Totals by route: `direct` for individual requests, and `batch`.
    pub routes: BTreeMap<&'static str, RouteTotals>,
    /// Numbers of tokens, as the servers counted them.
    pub tokens: TokenTotals,
    /// Number of answers whose token counts are implausible. If a count is far too high, the maximum cost of
    /// the request is booked.
    pub n_implausible_usage: u64,
    /// Number of answers with invalid UTF-8, which is replaced by U+FFFD. The journal contains the bytes.
    pub n_not_utf8: u64,
    /// Model snapshots that answered.
    pub model_snapshots: Vec<String>,
    /// System fingerprints of the servers that answered.
    pub system_fingerprints: Vec<String>,
    /// Number of graded items by grade: `right`, `wrong`, `truncated`, `unreadable`, ...
    pub grades: BTreeMap<String, u64>,
    /// Number of items that were asked more than once.
    pub n_repeated: u64,
    /// Number of items that were asked more than once and got different answers.
    pub n_disagreed: u64,
    /// The configuration.
    pub configuration: Configuration,
    /// Notes for the user about empty cells and excluded queries in semantic.csv. summary.json does not
    /// contain them.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Counts of grades, and samples of answers.
    #[serde(skip)]
    pub check: RunCheck,
}

impl FolderSummary {
    /// Number of questions without an answer of any kind.
    pub fn n_gaps(&self) -> u64 {
        ["failed", "not_asked", "in_batch"].iter().filter_map(|kind| self.outcomes.get(*kind)).sum()
    }
}

/// Grades the answers in a journal and writes the results into its folder.
///
/// # Errors
/// [`crate::Error::Journal`] if a line is damaged; [`crate::Error::Storage`] if a file cannot be read or
/// written.
pub fn write(folder: &Path, configuration: &Configuration, plan: &Plan) -> Result<FolderSummary> {
    let index = Index::read(folder)?;
    let mut reader = JournalReader::open(&folder.join("journal.jsonl"))?;
    let (provider, grading) = (plan.provider.name(), configuration.grading.clone());
    let mut results = Results::begin(folder, provider, &plan.model, grading).map_err(journal::as_storage)?;
    results.raw_csv = configuration.raw_csv;
    results.drawn =
        Some((configuration.rendering, configuration.seed)).filter(|_| configuration.semantic.is_none());
    let mut semantic = None;
    if let Some(asked) = &configuration.semantic {
        let (designs, grading) = (configuration.designs()?, configuration.grading.clone());
        semantic = Some(SemanticAnswers::new(designs, asked.logprobs_from, grading, (provider, &plan.model)));
    }
    let (mut outcomes, mut n_not_utf8, mut n_questions) = (BTreeMap::new(), 0, 0);
    let (mut tokens, mut n_implausible_usage) = (TokenTotals::default(), 0);
    plan.visit(&index, &RedoSelection::default(), |task, item, questions| {
        n_questions += questions.len() as u64;
        // The answers to all prompts of the item, by replicate.
        let mut replicates: BTreeMap<u32, Replicate> = BTreeMap::new();
        for KeyedQuestion { question, key } in questions {
            let arrival = arrival(&index, &mut reader, key)?;
            let answer = match &arrival {
                Some(arrival) => decode::answer(plan.provider, arrival),
                None => decode::not_asked(),
            };
            let is_answer = !matches!(answer.outcome, Outcome::Failed(_) | Outcome::Unreadable { .. });
            n_not_utf8 +=
                u64::from(is_answer && arrival.as_ref().is_some_and(|arrival| arrival.body_base64.is_some()));
            match &answer.usage {
                Some(_) if arrival.as_ref().is_some_and(|arrival| arrival.implausible_usage) => {
                    n_implausible_usage += 1;
                }
                usage => usage.iter().for_each(|usage| tokens.add(usage)),
            }
            let has_answer = arrival.is_some() && !matches!(answer.outcome, Outcome::Failed(_));
            let kind = match arrival {
                _ if !has_answer && index.is_in_batch(key) => "in_batch",
                Some(_) => answer.outcome.kind(),
                None => "not_asked",
            };
            *outcomes.entry(kind.to_owned()).or_insert(0) += 1;
            let replicate = replicates.entry(question.replicate).or_default();
            replicate.answers.push(answer);
            replicate.collected_at = replicate.collected_at.take().max(arrival.map(|arrival| arrival.at));
        }
        let replicates: Vec<Replicate> = replicates.into_values().collect();
        if let (Some(semantic), Some(first)) = (&mut semantic, replicates.first()) {
            semantic.add(task, item, &first.answers, first.collected_at.as_deref());
        }
        results.add(task, item, &replicates).map_err(journal::as_storage)
    })?;
    let notes = semantic.map(|semantic| semantic.write(folder)).transpose().map_err(journal::as_storage)?;
    let summary = results.write(configuration.seed).map_err(journal::as_storage)?;
    // The requests of open intents were in flight when the process ended or when the run was aborted.
    let (in_batches, in_flight): (Vec<_>, Vec<_>) =
        index.open.values().partition(|open| open.batch.as_ref().is_some_and(|b| index.was_prepared(b)));
    let open_usd: Vec<f64> = in_flight.iter().filter_map(|open| open.reserve_usd).collect();
    let reserved_usd: Vec<f64> = in_batches.iter().filter_map(|open| open.reserve_usd).collect();
    let has_costs = index.has_costs || !open_usd.is_empty() || !reserved_usd.is_empty();
    let open_sum_usd: f64 = open_usd.iter().sum();
    // The sum is rounded, so that the order of the answers does not affect the last digit. The sum of an
    // empty list is -0.0, and adding 0.0 makes it 0.0.
    let usd = |usd: f64| has_costs.then_some((usd * 1e9).round() / 1e9 + 0.0);
    let folder_summary = FolderSummary {
        schema: Schema::new("surmise-summary", 1),
        n_questions,
        outcomes,
        n_requests: index.n_requests,
        n_possibly_paid: index.n_possibly_paid + in_flight.len() as u64,
        spent_usd: usd(index.spent_usd + open_sum_usd),
        possibly_paid_usd: usd(index.possibly_paid_usd + open_sum_usd),
        n_unpriced: (index.unpriced.len() + in_flight.len() - open_usd.len() + in_batches.len()
            - reserved_usd.len()) as u64,
        n_in_batches: in_batches.len() as u64,
        reserved_usd: usd(reserved_usd.iter().sum()).filter(|_| reserved_usd.len() == in_batches.len()),
        routes: routes(&index, in_flight.len() as u64, open_sum_usd),
        tokens,
        n_implausible_usage,
        n_not_utf8,
        model_snapshots: summary.model_snapshots.into_iter().collect(),
        system_fingerprints: summary.system_fingerprints.into_iter().collect(),
        grades: summary.check.counts(),
        n_repeated: summary.n_repeated as u64,
        n_disagreed: summary.n_disagreed as u64,
        configuration: configuration.clone(),
        notes: notes.unwrap_or_default(),
        check: summary.check,
    };
    disk::write_json(&folder.join("summary.json"), &folder_summary).map_err(journal::as_storage)?;
    Ok(folder_summary)
}

/// Totals by route. Requests in flight were sent individually.
fn routes(index: &Index, n_in_flight: u64, in_flight_usd: f64) -> BTreeMap<&'static str, RouteTotals> {
    let rounded = |usd: f64| (usd * 1e9).round() / 1e9;
    let [mut direct, batch] = index.routes;
    direct.n_possibly_paid += n_in_flight;
    direct.spent_usd += in_flight_usd;
    direct.possibly_paid_usd += in_flight_usd;
    let each = [("direct", direct), ("batch", batch)].into_iter().map(|(name, totals)| {
        let (spent_usd, possibly_paid_usd) = (rounded(totals.spent_usd), rounded(totals.possibly_paid_usd));
        (name, RouteTotals { spent_usd, possibly_paid_usd, ..totals })
    });
    each.collect()
}

/// Reads one answer to each item of a configuration from a folder: the answer to the first prompt in the
/// first replicate. Items without an answer are omitted.
///
/// # Errors
/// Returns the errors of [`Index::read`], [`Configuration::load_tasks`] and [`Configuration::plan`].
pub fn answers(folder: &Path, configuration: &Configuration) -> Result<Vec<(Item, Answer)>> {
    let mut configuration = configuration.clone();
    let plan = configuration.load_tasks().and_then(|tasks| configuration.plan(tasks))?;
    let index = Index::read(folder)?;
    let mut reader = JournalReader::open(&folder.join("journal.jsonl"))?;
    let mut answers = vec![];
    plan.visit(&index, &RedoSelection::default(), |_, item, questions| {
        for KeyedQuestion { question, key } in questions {
            if (question.prompt, question.replicate) != (0, 0) {
                continue;
            }
            if let Some(arrival) = arrival(&index, &mut reader, key)? {
                answers.push((item.clone(), decode::answer(plan.provider, &arrival)));
            }
        }
        Ok(())
    })?;
    Ok(answers)
}

/// Books the cost of requests that were sent before a price was known. The cost is computed from their token
/// counts, or from upper bounds that follow from their bodies. Returns the sum in USD; `None` if there are no
/// such requests or still no price.
///
/// # Errors
/// Returns the errors of [`JournalReader::record`]; [`crate::Error::Parameter`] if the size of a request is
/// unknown.
pub(crate) fn book_unpriced(
    folder: &Path,
    index: &Index,
    plan: &Plan,
    budget: &Budget,
) -> Result<Option<f64>> {
    if index.unpriced.is_empty() || budget.spent_usd().is_none() {
        return Ok(None);
    }
    let mut reader = JournalReader::open(&folder.join("journal.jsonl"))?;
    let mut sum_usd = 0.0;
    for (intent, outcome) in &index.unpriced {
        let (answer, by_batch) = match reader.record(*outcome)? {
            Record::Outcome(arrival) => {
                (Some(decode::answer(plan.provider, &arrival)), arrival.batch.is_some())
            }
            _ => (None, false),
        };
        let usage = answer.as_ref().and_then(|answer| answer.usage);
        let tier = answer.as_ref().and_then(|answer| answer.billing.service_tier.as_deref());
        let sent = match intent.map(|place| reader.record(place)).transpose()? {
            // A token has at least one byte. The JSON around a text is longer than the separators that
            // replace it in the prompt, so the length of the body is an upper bound.
            Some(Record::Intent(intent)) => {
                most_tokens(&intent.body).map(|most| (intent.body.len() as u64, most))
            }
            _ => None,
        };
        let is_counted =
            usage.is_some_and(|usage| usage.prompt_tokens.is_some() && usage.completion_tokens.is_some());
        let Some((prompt, completion)) = sent.or(is_counted.then_some((0, 0))) else {
            let reason = "cannot be enforced: an earlier request of this folder has neither a price nor a \
                          known length; choose another folder, or pass --no-budget without --prices";
            return Err(Error::Parameter { name: "--budget-usd", reason: reason.into() });
        };
        let most = match by_batch {
            true => budget.max_batch_cost(prompt, completion),
            false => budget.max_cost(prompt, completion),
        };
        sum_usd += budget.book(most, usage.as_ref(), tier).unwrap_or(0.0);
    }
    Ok(Some(sum_usd))
}

/// The token limit in a request body.
pub(in crate::collect) fn most_tokens(body: &str) -> Option<u64> {
    const NAMES: [&str; 5] =
        ["max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict"];
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let places = [&body, &body["options"], &body["generationConfig"]];
    places.iter().flat_map(|place| NAMES.iter().filter_map(|name| place[*name].as_u64())).max()
}

/// The record of the outcome of a question: its answer, or its last failure if it has no answer.
pub(in crate::collect) fn arrival(
    index: &Index,
    reader: &mut JournalReader,
    key: &QuestionKey,
) -> Result<Option<OutcomeRecord>> {
    let place = index.state(key).and_then(QuestionState::place);
    match place.map(|place| reader.record(place)).transpose()? {
        Some(Record::Outcome(arrival)) => Ok(Some(*arrival)),
        _ => Ok(None),
    }
}
