//! Defines how much a model reasons before it answers.

use serde::{Deserialize, Serialize};

/// The reasoning effort, with the names that providers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningEffort {
    /// No reasoning.
    None,
    /// As little reasoning as possible.
    Minimal,
    /// Little reasoning.
    Low,
    /// A medium amount of reasoning.
    Medium,
    /// Much reasoning.
    High,
    /// More reasoning than `High`.
    Xhigh,
    /// As much reasoning as the model can do.
    Max,
}

impl ReasoningEffort {
    /// All levels, lowest first.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// The name on the command line and in the wire format.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// A short description.
    pub fn describe(self) -> &'static str {
        match self {
            Self::None => "no reasoning",
            Self::Minimal => "the least reasoning",
            Self::Low => "little reasoning",
            Self::Medium => "a medium amount of reasoning",
            Self::High => "much reasoning",
            Self::Xhigh => "more reasoning than high",
            Self::Max => "the most reasoning",
        }
    }
}
