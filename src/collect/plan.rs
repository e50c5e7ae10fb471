//! Plans the questions of a run: every combination of item, prompt and replicate is one question with a key.
//! Questions with the same content have the same key and are asked once.

use std::collections::HashSet;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::budget::price::Price;
use super::client::endpoint::Endpoint;
use super::journal::{Index, QuestionKey, QuestionState};
use super::short_answers;
use super::tasks::{Item, Task};
use crate::error::{Error, Result};
use crate::provider::{self, GenerationParams, Provider, Request, WireRequest};
use crate::seed;

/// Each round of `--redo` adds this number to the replicate numbers of repeated questions.
const ROUND: u32 = 1_000_000;
/// Maximum number of answers per run. All keys are kept in memory.
const MOST: usize = 10_000_000;

/// One requested answer. A run may have millions of them, so each request is rendered only when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Question {
    /// Index of the task.
    pub task: u32,
    /// Index of the item in the task.
    pub item: u32,
    /// Index of the prompt in the item.
    pub prompt: u32,
    /// Index of the answer among the replicates of this question.
    pub replicate: u32,
}

impl Question {
    /// The same question in its first round.
    pub fn first_round(self) -> Self {
        Self { replicate: self.replicate % ROUND, ..self }
    }
}

/// A question with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedQuestion {
    /// The question.
    pub question: Question,
    /// Key of the question.
    pub key: QuestionKey,
}

/// The questions that remain to be asked.
#[derive(Debug, Default)]
pub struct Pending {
    /// The questions in their order; each key occurs once.
    pub questions: Vec<Question>,
    /// Number of requested answers, including those that exist already.
    pub n_wanted: usize,
    /// Number of requested answers that are in a batch and have no outcome yet.
    pub n_in_batches: usize,
    /// Indices of task and item, for each item whose first replicate is answered.
    pub answered: Vec<(u32, u32)>,
}

/// How many answers are requested per question.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Replication {
    /// Number of answers to each question.
    pub replicates: u32,
    /// Share of items that are asked once more, to estimate how much answers vary.
    pub share: f64,
    /// Seed for the choice of these items.
    pub seed: u64,
}

/// Selects which questions that have an outcome are asked again.
#[derive(Debug, Clone, Default)]
pub struct RedoSelection {
    /// Kinds of outcomes: `filtered`, `refused`, ...; `failed` for requests without an answer.
    pub kinds: Vec<String>,
    /// If true, a request without an answer is not repeated if it may have been billed.
    pub leave_unknown: bool,
}

/// All questions for one model.
pub struct Plan {
    /// The wire format.
    pub provider: &'static dyn Provider,
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The model.
    pub model: String,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Generation parameters of each task. The probe uses them, too.
    pub params: Vec<GenerationParams>,
    /// Token limit of questions that are drawn from a category.
    pub short_limit: u32,
    /// Number of answers to each question.
    pub repeats: Replication,
}

impl Plan {
    /// The item of a question.
    ///
    /// # Errors
    /// Returns the errors of [`crate::collect::tasks::Items::get`].
    pub fn item(&self, question: &Question) -> Result<Item> {
        self.tasks[question.task as usize].items.get(question.item as usize)
    }

    /// The request of a question.
    pub fn request(&self, item: &Item, question: &Question) -> Request {
        Request {
            model: self.model.clone(),
            prompt: item.prompts[question.prompt as usize].clone(),
            params: self.question_params(question.task as usize),
        }
    }

    /// The generation parameters of the questions of a task.
    fn question_params(&self, task: usize) -> GenerationParams {
        let mut params = self.params[task].clone();
        if self.has_short_answers(task) {
            params.max_tokens = params.max_tokens.min(self.short_limit);
        }
        params
    }

    fn has_short_answers(&self, task: usize) -> bool {
        self.tasks[task].is_drawn()
    }

    /// Whether the limit of short answers would change any request.
    pub fn may_shorten(&self) -> bool {
        let is_longer = |task: usize| self.params[task].max_tokens > short_answers::MAX_TOKENS;
        (0..self.tasks.len()).any(|task| is_longer(task) && self.has_short_answers(task))
    }

    /// The smallest token limit of any question, assuming that the limit of short answers applies.
    pub fn least_tokens(&self) -> u32 {
        let limit = |task: usize| match self.question_params(task).max_tokens {
            most if self.has_short_answers(task) => most.min(short_answers::MAX_TOKENS),
            most => most,
        };
        (0..self.tasks.len()).map(limit).min().unwrap_or(0)
    }

    /// Returns an error if the provider has no batch API.
    ///
    /// # Errors
    /// [`Error::Parameter`] that names the providers with a batch API.
    pub fn check_batches(&self) -> Result<()> {
        if self.provider.batch().is_some() {
            return Ok(());
        }
        let known: Vec<_> = provider::ALL.iter().filter(|p| p.batch().is_some()).map(|p| p.name()).collect();
        let reason = format!(
            "is not possible for {}, which has no batch API; providers with a batch API: {}",
            self.provider.name(),
            known.join(", ")
        );
        Err(Error::Parameter { name: "--batch", reason })
    }

    /// The price with a batch factor. If the price file has no factor, the provider's factor applies to
    /// requests to the provider's own address. The factor of other servers is unknown, so their batches count
    /// at the full price.
    pub fn with_batch_factor(&self, price: Price) -> Price {
        let is_own = self.endpoint.name() == self.provider.default_base_url();
        let known = self.provider.batch().filter(|_| is_own).map(|wire| wire.price_factor());
        Price { batch_factor: price.batch_factor.or(known), ..price }
    }

    /// The key of a rendered request.
    pub fn key(&self, wire: &WireRequest, replicate: u32) -> QuestionKey {
        QuestionKey::new(
            self.provider.name(),
            &self.endpoint.identity(&wire.path),
            &self.model,
            &wire.identity(),
            replicate,
        )
    }

    /// Reads an item. Returns it with the first replicate of each of its questions.
    ///
    /// # Errors
    /// Returns an error if a request cannot be rendered or an item cannot be read.
    pub fn first_questions(&self, task: u32, item: u32, index: &Index) -> Result<(Item, Vec<KeyedQuestion>)> {
        let read = self.tasks[task as usize].items.get(item as usize)?;
        let questions = (0..read.prompts.len()).map(|prompt| {
            let question = Question { task, item, prompt: prompt as u32, replicate: 0 };
            let wire = self.provider.render(&self.request(&read, &question))?;
            Ok(self.keyed(question, &wire, index, &RedoSelection::default()))
        });
        let questions = questions.collect::<Result<_>>()?;
        Ok((read, questions))
    }

    /// Visits all items in order, each with its questions. A repeated question has the key of its last
    /// answered round. A question that `again` selects has the key of its next round.
    ///
    /// # Errors
    /// Returns an error if a request cannot be rendered, an item cannot be read, or `each` fails.
    pub fn visit(
        &self,
        index: &Index,
        again: &RedoSelection,
        mut each: impl FnMut(&Task, &Item, &[KeyedQuestion]) -> Result<()>,
    ) -> Result<()> {
        let mut rng = seed::stream("collect", "repeat", self.repeats.seed);
        let mut questions = vec![];
        for (t, task) in self.tasks.iter().enumerate() {
            for (i, item) in task.items.iter().enumerate() {
                let item = item?;
                let more = rng.random::<f64>() < self.repeats.share;
                questions.clear();
                for p in 0..item.prompts.len() {
                    let [task, item_number, prompt] = [t, i, p].map(|n| n as u32);
                    let first = Question { task, item: item_number, prompt, replicate: 0 };
                    let wire = self.provider.render(&self.request(&item, &first))?;
                    for replicate in 0..self.repeats.replicates + u32::from(more) {
                        questions.push(self.keyed(Question { replicate, ..first }, &wire, index, again));
                    }
                }
                each(task, &item, &questions)?;
            }
        }
        Ok(())
    }

    fn keyed(
        &self,
        question: Question,
        wire: &WireRequest,
        index: &Index,
        again: &RedoSelection,
    ) -> KeyedQuestion {
        let of_round = |round: u32| {
            let replicate = question.replicate + round * ROUND;
            KeyedQuestion { question: Question { replicate, ..question }, key: self.key(wire, replicate) }
        };
        if index.is_empty() {
            return of_round(0);
        }
        let answer = |keyed: &KeyedQuestion| index.state(&keyed.key).and_then(QuestionState::answer);
        // The answer of a round counts until a later round is answered.
        let mut keyed = of_round(0);
        let (mut round, mut kind) = (0, answer(&keyed));
        while index.state(&of_round(round + 1).key).is_some() {
            round += 1;
            let next = of_round(round);
            if let Some(next_kind) = answer(&next) {
                (keyed, kind) = (next, Some(next_kind));
            }
        }
        let is_unwanted = kind.is_some_and(|kind| again.kinds.iter().any(|unwanted| unwanted == kind));
        // A failed round is repeated before the next round begins.
        let is_begun = answer(&of_round(round)).is_none();
        if is_unwanted { of_round(round + u32::from(!is_begun)) } else { keyed }
    }

    /// The questions that remain to be asked.
    ///
    /// # Errors
    /// Returns the errors of [`Plan::visit`]; [`Error::Parameter`] if there are too many questions.
    pub fn pending(&self, index: &Index, again: &RedoSelection) -> Result<Pending> {
        let (mut pending, mut seen) = (Pending::default(), HashSet::new());
        // Every item has at least one prompt.
        let n_items: usize = self.tasks.iter().map(|task| task.items.len()).sum();
        check_number(n_items.saturating_mul(self.repeats.replicates as usize))?;
        self.visit(index, again, |_, _, questions| {
            pending.n_wanted += questions.len();
            check_number(pending.n_wanted)?;
            let first = || questions.iter().filter(|keyed| keyed.question.replicate % ROUND == 0);
            let is_answered =
                |keyed: &KeyedQuestion| index.state(&keyed.key).is_some_and(|state| state.answer().is_some());
            if first().all(is_answered)
                && let Some(keyed) = questions.first()
            {
                pending.answered.push((keyed.question.task, keyed.question.item));
            }
            for KeyedQuestion { question, key } in questions {
                if !seen.insert(key.half()) {
                    continue;
                }
                // The results of the open batch will contain the answer.
                if index.is_in_batch(key) {
                    pending.n_in_batches += 1;
                } else if is_open(index.state(key), again) {
                    pending.questions.push(*question);
                }
            }
            Ok(())
        })?;
        Ok(pending)
    }
}

fn check_number(n_answers: usize) -> Result<()> {
    if n_answers <= MOST {
        return Ok(());
    }
    let reason = format!(
        "times the number of prompts exceeds the maximum of {MOST} answers per run; set a smaller \
         --replicates, or give fewer items per run"
    );
    Err(Error::Parameter { name: "--replicates", reason })
}

/// Whether a question remains to be asked.
fn is_open(state: Option<&QuestionState>, again: &RedoSelection) -> bool {
    let Some(state) = state else { return true };
    if state.answer().is_some() {
        return false;
    }
    let failed_too = again.kinds.iter().any(|kind| kind == "failed");
    match state.failure() {
        _ if failed_too => true,
        // The request itself is invalid, so the server would refuse it again.
        Some("invalid" | "too_large") => false,
        Some("unknown") => !again.leave_unknown,
        _ => true,
    }
}
