//! How much a model reasons before it answers, and how each wire format asks for it.

use serde::{Deserialize, Serialize};

/// The effort of reasoning, by the names that providers use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningEffort {
    /// No reasoning.
    None,
    /// As little as possible.
    Minimal,
    /// Little.
    Low,
    /// A medium amount.
    Medium,
    /// Much.
    High,
    /// More than `High`.
    Xhigh,
    /// As much as the model can.
    Max,
}

impl ReasoningEffort {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// Its name on the command line and on the wire.
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

    /// What it asks for, in a phrase.
    pub fn describe(self) -> &'static str {
        match self {
            Self::None => "no reasoning",
            Self::Minimal => "as little as possible",
            Self::Low => "little",
            Self::Medium => "a medium amount",
            Self::High => "much",
            Self::Xhigh => "more than high",
            Self::Max => "as much as the model can",
        }
    }
}
