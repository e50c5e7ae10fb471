//! One question with its right answers.

use crate::provider::Prompt;

/// One question, as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id, unique among all items of a run.
    pub id: String,
    /// The task it belongs to.
    pub task: String,
    /// Examples shown before the question.
    pub shots: usize,
    /// Name of the question, the same at every number of shots, by which answers are paired.
    pub question: String,
    /// One prompt; or where choices are compared by log-probability, one for each choice, which it ends with.
    pub prompts: Vec<Prompt>,
    /// Right answers, any of which counts. Empty for free texts.
    pub gold: Vec<String>,
    /// Choices, if the item is multiple choice.
    pub choices: Vec<String>,
    /// How far a number may differ, as it is written: `0.5` or `1%`.
    pub tolerance: Option<String>,
    /// Number of characters before the choice in prompts that end in one.
    pub boundary: usize,
}
