//! The grader of a task: which part of an answer is compared with the right one.

use serde::{Deserialize, Serialize};

/// How an answer is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grader {
    /// The whole answer, normalised, is a right one.
    #[default]
    Exact,
    /// The answer begins with a right one, and no letter or digit follows.
    Prefix,
    /// The first line that is not blank, normalised, is a right one.
    FirstLine,
    /// The letter of the right choice.
    Letter,
    /// The right choice has the highest log-probability, summed over its tokens.
    Logprob,
    /// The same, divided by the choice's length in bytes.
    LogprobPerByte,
}

impl Grader {
    /// Every grader.
    pub const ALL: [Self; 6] =
        [Self::Exact, Self::Prefix, Self::FirstLine, Self::Letter, Self::Logprob, Self::LogprobPerByte];

    /// What it compares, in one line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Exact => "The whole answer, normalised, is a right one",
            Self::Prefix => "The answer begins with a right one, and no letter or digit follows",
            Self::FirstLine => "The first line that is not blank, normalised, is a right one",
            Self::Letter => "The letter of the right choice",
            Self::Logprob => "The right choice has the highest log-probability, summed over its tokens",
            Self::LogprobPerByte => "The same, divided by the choice's length in bytes",
        }
    }

    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::FirstLine => "first-line",
            Self::Letter => "letter",
            Self::Logprob => "logprob",
            Self::LogprobPerByte => "logprob-per-byte",
        }
    }

    /// Whether it needs the log-probabilities of the prompt: `echo`, one token generated at most.
    pub fn needs_echo(self) -> bool {
        matches!(self, Self::Logprob | Self::LogprobPerByte)
    }

    /// Whether it compares choices.
    pub fn needs_choices(self) -> bool {
        matches!(self, Self::Letter) || self.needs_echo()
    }
}
