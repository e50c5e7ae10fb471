//! What is to be asked: every item, prompt and replicate as one question with its key. The same question under two names has one key, and is asked once.

use std::collections::HashSet;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::client::Endpoint;
use super::journal::{Index, Key};
use super::task::{Item, Task};
use crate::error::Result;
use crate::provider::{Provider, Request, Settings, WireRequest};
use crate::seed;

/// Questions that are asked again because of how they were answered are replicates that count from here, by rounds.
const ROUND: u32 = 1_000_000;

/// One answer that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What is sent where, as one number.
    pub key: Key,
    /// Which task.
    pub task: u32,
    /// Which item of it.
    pub item: u32,
    /// Which prompt of the item.
    pub prompt: u32,
    /// Which of several answers to the same question.
    pub replicate: u32,
}

/// How often items are asked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// Answers to each question.
    pub replicates: u32,
    /// The share of items that are asked once more, to see the noise.
    pub share: f64,
    /// Seed of which items these are.
    pub seed: u64,
}

/// What is asked again that has an outcome already.
#[derive(Debug, Clone, Default)]
pub struct Again {
    /// Kinds of outcomes: `filtered`, `refused`, ...; `failed` for requests no answer came to.
    pub kinds: Vec<String>,
    /// Whether requests of unknown fate stay as they are.
    pub leave_unknown: bool,
}

/// Everything that is to be asked of one model.
pub struct Plan {
    /// The wire format.
    pub provider: &'static dyn Provider,
    /// Where it is served.
    pub endpoint: Endpoint,
    /// The model.
    pub model: String,
    /// What is asked.
    pub tasks: Vec<Task>,
    /// How the answers of each task are to be given.
    pub settings: Vec<Settings>,
    /// How often.
    pub repeats: Repeats,
}

impl Plan {
    /// The item of a question.
    pub fn item(&self, question: &Question) -> &Item {
        &self.tasks[question.task as usize].items[question.item as usize]
    }

    /// What is asked.
    pub fn request(&self, question: &Question) -> Request {
        Request {
            model: self.model.clone(),
            prompt: self.item(question).prompts[question.prompt as usize].clone(),
            settings: self.settings[question.task as usize].clone(),
        }
    }

    /// The key of a request as it is sent.
    pub fn key(&self, wire: &WireRequest, replicate: u32) -> Key {
        Key::new(self.provider.name(), &self.endpoint.identity(&wire.path), &self.model, &wire.body, replicate)
    }

    /// The questions of all items in their order. Where one was asked again, the last round; where it now is to be, the next.
    ///
    /// # Errors
    /// Whatever cannot be rendered for the wire format.
    pub fn questions(&self, index: &Index, again: &Again) -> Result<Vec<Question>> {
        let mut questions = vec![];
        let mut rng = seed::stream("collect", "repeat", self.repeats.seed);
        for (t, task) in self.tasks.iter().enumerate() {
            for (i, item) in task.items.iter().enumerate() {
                let more = rng.random::<f64>() < self.repeats.share;
                for p in 0..item.prompts.len() {
                    for replicate in 0..self.repeats.replicates + u32::from(more) {
                        questions.push(self.question([t, i, p].map(|n| n as u32), replicate, index, again)?);
                    }
                }
            }
        }
        Ok(questions)
    }

    fn question(
        &self,
        [task, item, prompt]: [u32; 3],
        replicate: u32,
        index: &Index,
        again: &Again,
    ) -> Result<Question> {
        let unkeyed = Question { key: Key::NONE, task, item, prompt, replicate };
        let wire = self.provider.render(&self.request(&unkeyed))?;
        let of_round = |round: u32| {
            let replicate = replicate + round * ROUND;
            Question { key: self.key(&wire, replicate), replicate, ..unkeyed }
        };
        let mut round = 0;
        while index.states.contains_key(&of_round(round + 1).key) {
            round += 1;
        }
        let question = of_round(round);
        let answer = index.states.get(&question.key).and_then(|state| state.answer.as_ref());
        let is_unwanted = answer.is_some_and(|(_, kind)| again.kinds.iter().any(|unwanted| unwanted == kind));
        Ok(if is_unwanted { of_round(round + 1) } else { question })
    }
}

/// The questions that have no outcome yet, each key once, in their order.
pub fn pending(questions: &[Question], index: &Index, again: &Again) -> Vec<Question> {
    let failed_too = again.kinds.iter().any(|kind| kind == "failed");
    let mut seen = HashSet::new();
    let is_open = |key: &Key| match index.states.get(key) {
        None => true,
        Some(state) if state.answer.is_some() => false,
        Some(state) => match state.failure.as_ref().map(|(_, class)| class.as_str()) {
            _ if failed_too => true,
            // The request itself is at fault and would be again.
            Some("invalid") => false,
            Some("unknown") => !again.leave_unknown,
            _ => true,
        },
    };
    questions.iter().filter(|question| is_open(&question.key) && seen.insert(question.key)).copied().collect()
}
