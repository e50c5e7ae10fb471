//! Defines a task and its options.

use serde::{Deserialize, Serialize};

use super::items::Items;
use crate::collect::grading::Grader;

/// The questions of one built-in task or file.
#[derive(Debug)]
pub struct Task {
    /// Name of the category, or stem of the file.
    pub name: String,
    /// SHA-256 of the file, or of the generated content.
    pub sha256: String,
    /// The items, in order of increasing number of shots.
    pub items: Items,
    /// Stop sequences. They are sent if the provider accepts them, and applied to answers before grading.
    pub stops: Vec<String>,
    /// How the answers are used.
    pub kind: TaskKind,
    /// Notes about the file for the user.
    pub notes: Vec<String>,
}

impl Task {
    /// Whether the questions are drawn from a category rather than read from a file.
    pub fn is_drawn(&self) -> bool {
        self.kind == TaskKind::Graded && self.items.is_drawn()
    }
}

/// How the answers to a task are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Answers are graded as right or wrong.
    Graded,
    /// Answers are texts, which are stored unchanged.
    Texts,
    /// Only the log-probabilities of the prompts count, not the answers.
    Likelihoods,
}

/// How tasks are generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOptions {
    /// Maximum number of shots of in-context tasks. Questions are asked at every number of shots from 0 to
    /// this maximum.
    pub shots: usize,
    /// Number of lists per relation (in-context tasks) or prompts per category (texts).
    pub items: usize,
    /// Seed of the sampling.
    pub seed: u64,
    /// How in-context questions are rendered.
    pub rendering: Rendering,
    /// How answers are graded. Some graders need special prompts.
    pub grader: Grader,
}

/// How an in-context question is rendered. It affects the results and is recorded with every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rendering {
    /// The plain text of the list, which the model continues.
    Text,
    /// The text, preceded by an instruction to give only the next answer.
    Instructed,
    /// An instruction, then the shots as turns of a chat.
    Turns,
}

impl Rendering {
    /// Every rendering.
    pub const ALL: [Self; 3] = [Self::Text, Self::Instructed, Self::Turns];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Instructed => "instructed",
            Self::Turns => "turns",
        }
    }

    /// A description in one line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Text => "The plain text, to be continued",
            Self::Instructed => "An instruction to give only the next answer, then the text",
            Self::Turns => "An instruction, then the shots as turns of a chat",
        }
    }
}
