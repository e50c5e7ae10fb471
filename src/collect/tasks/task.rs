//! A task and its options.

use serde::{Deserialize, Serialize};

use super::items::Items;
use crate::collect::grading::Grader;

/// The questions of one name or file.
#[derive(Debug)]
pub struct Task {
    /// The category's name, or the file's stem.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its items, those with the fewest shots first.
    pub items: Items,
    /// Stop sequences: sent where the provider accepts them, and applied to answers before they are graded.
    pub stops: Vec<String>,
    /// What its answers are for.
    pub kind: TaskKind,
    /// Notes to the user about the file.
    pub notes: Vec<String>,
}

impl Task {
    /// Whether its questions are drawn from a category, and not those of a file.
    pub fn is_drawn(&self) -> bool {
        self.kind == TaskKind::Graded && self.items.is_drawn()
    }
}

/// What the answers to a task are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// They are right or wrong.
    Graded,
    /// They are texts, which are stored as they are.
    Texts,
    /// The log-probabilities of its prompts are wanted, and not what follows them.
    Likelihoods,
}

/// How tasks are generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOptions {
    /// Most shots of in-context tasks; all numbers from 0 are asked.
    pub shots: usize,
    /// Lists per relation of in-context tasks; prompts per category of texts.
    pub items: usize,
    /// Seed of the sampling.
    pub seed: u64,
    /// How in-context questions are rendered.
    pub rendering: Rendering,
    /// How answers will be graded; some graders need prompts of their own.
    pub grader: Grader,
}

/// How an in-context question is rendered. It affects the results and is recorded with every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rendering {
    /// The bare text, to be continued.
    Text,
    /// The text after an instruction to give the next answer alone.
    Instructed,
    /// Shots as turns of a chat, after the instruction.
    Turns,
}

impl Rendering {
    /// Every rendering.
    pub const ALL: [Self; 3] = [Self::Text, Self::Instructed, Self::Turns];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Instructed => "instructed",
            Self::Turns => "turns",
        }
    }

    /// What it sends, in one line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Text => "The bare text, to be continued",
            Self::Instructed => "The text after an instruction to give the next answer alone",
            Self::Turns => "Shots as turns of a chat, after the instruction",
        }
    }
}
