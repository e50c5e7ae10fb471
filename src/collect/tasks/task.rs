//! A task and how it is made.

use serde::{Deserialize, Serialize};

use super::grader::Grader;
use super::items::Items;

/// The questions of one name or file.
#[derive(Debug)]
pub struct Task {
    /// The category's name, or the file's stem.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Its questions, those with the fewest shots first.
    pub items: Items,
    /// Texts that end an answer: sent where the provider takes them, and cut at when the answer is graded.
    pub stops: Vec<String>,
    /// Whether answers are right or wrong; if not, they are texts to be kept.
    pub graded: bool,
    /// What the user should know of the file.
    pub notes: Vec<String>,
}

/// How tasks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskOptions {
    /// Most shots of in-context tasks; all numbers from 0 are asked.
    pub shots: usize,
    /// Lists per relation of in-context tasks; prompts per category of texts.
    pub items: usize,
    /// Seed of what is drawn.
    pub seed: u64,
    /// How in-context questions are put.
    pub rendering: Rendering,
    /// How answers will be graded: some ways need prompts of their own.
    pub grader: Grader,
}

/// How an in-context question is put. It changes what is measured, and is recorded with every run.
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
