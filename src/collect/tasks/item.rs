//! One question with its right answers.

use crate::provider::Prompt;

/// One question, as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name, distinct among all items of a run.
    pub id: String,
    /// The task it belongs to.
    pub task: String,
    /// Examples shown before the question.
    pub shots: usize,
    /// The same for one question at every number of shots: what is paired when these are compared.
    pub question: String,
    /// What is sent: one prompt; or one for each choice, each ending in its choice, where choices are
    /// compared by log-probability.
    pub prompts: Vec<Prompt>,
    /// Right answers: any of them is right. Empty where there is no right or wrong.
    pub gold: Vec<String>,
    /// What can be chosen from, if the item is multiple choice.
    pub choices: Vec<String>,
    /// Number of characters before the choice in prompts that end in one.
    pub boundary: usize,
}
