//! Defines an item: a question with its right answers.

use crate::provider::Prompt;

/// A question in the form in which it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Id, unique among all items of a run.
    pub id: String,
    /// Name of the task.
    pub task: String,
    /// Number of examples shown before the question.
    pub shots: usize,
    /// Name of the question. It is the same at every number of shots, so that answers can be paired.
    pub question: String,
    /// One prompt. If choices are compared by log-probability, one prompt per choice, which ends with that
    /// choice.
    pub prompts: Vec<Prompt>,
    /// Accepted answers; one match suffices. Empty for free texts.
    pub gold: Vec<String>,
    /// Choices, if the item is multiple choice.
    pub choices: Vec<String>,
    /// How far a number may differ from the right answer: absolute (`0.5`) or relative (`1%`).
    pub tolerance: Option<String>,
    /// Number of characters before the choice, in prompts that end with a choice.
    pub boundary: usize,
}
