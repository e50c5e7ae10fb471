//! The meaning of a response.

use super::failure_class::{Failure, FilterSide};
use super::rate_limit::RateLimitInfo;

/// A response that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The outcome of the request.
    pub outcome: Outcome,
    /// Tokens as counted by the server.
    pub usage: Option<Usage>,
    /// The model snapshot that answered, often a dated name.
    pub model_snapshot: Option<String>,
    /// The server's name for its configuration.
    pub system_fingerprint: Option<String>,
    /// The provider's finish reason.
    pub finish_reason: Option<String>,
    /// Log-probabilities, one per token.
    pub logprobs: Option<Vec<TokenLogprob>>,
    /// What the response says about the rate limit.
    pub rate_limit: RateLimitInfo,
}

/// The outcome of a request. Where several apply, the first of filtered, refused, truncated, empty, answered
/// counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer, also where a text comes with an unknown finish reason.
    Answered {
        /// The text, unchanged.
        text: String,
    },
    /// The model declined.
    Refused {
        /// The text of the refusal; may be empty.
        text: String,
    },
    /// A content filter of the provider withheld the answer.
    Filtered {
        /// Which side was filtered.
        at: FilterSide,
        /// The category that the provider names.
        category: Option<String>,
        /// The text that was let through, if any.
        text: Option<String>,
    },
    /// The answer was truncated at the token limit.
    Truncated {
        /// The text before the limit; empty where reasoning used all tokens.
        text: String,
    },
    /// A complete answer without text.
    Empty,
    /// A body that cannot be read. It is billed, and the question is not repeated automatically.
    Unreadable {
        /// Why, with the beginning of the body.
        reason: String,
    },
    /// The request failed.
    Failed(Failure),
}

/// Tokens as the server counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, including cached ones; `None` where they were not counted.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, including reasoning: those billed as output; `None` where they were not
    /// counted.
    pub completion_tokens: Option<u64>,
    /// Of these, tokens of reasoning.
    pub reasoning_tokens: Option<u64>,
    /// Tokens of the prompt that were read from a cache.
    pub cached_tokens: Option<u64>,
}

impl Usage {
    /// The counts; `None` if nothing was counted.
    pub(super) fn counted(self) -> Option<Self> {
        self.prompt_tokens.or(self.completion_tokens).map(|_| self)
    }
}

/// A token with its log-probability.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// Its text as the server writes it.
    pub token: String,
    /// Its bytes, where the server gives them: a token may be part of a character.
    pub bytes: Option<Vec<u8>>,
    /// Nats; `None` for the first token of an echoed prompt.
    pub logprob: Option<f64>,
    /// The most likely tokens at this position, with their log-probabilities.
    pub top: Vec<(String, f64)>,
    /// Position of its first character in the text.
    pub offset: Option<u64>,
}

impl Answer {
    /// An answer of which only the outcome is known.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            usage: None,
            model_snapshot: None,
            system_fingerprint: None,
            finish_reason: None,
            logprobs: None,
            rate_limit: RateLimitInfo::default(),
        }
    }

    /// How many tokens have a log-probability.
    pub fn n_logprobs(&self) -> usize {
        self.logprobs.iter().flatten().filter(|token| token.logprob.is_some()).count()
    }
}

/// The parts of an answer as a wire format has them, before the outcome is decided.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerParts {
    pub(super) text: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) filtered: Option<(FilterSide, Option<String>)>,
    pub(super) is_truncated: bool,
}

impl From<AnswerParts> for Outcome {
    /// Decides the outcome by its precedence.
    fn from(parts: AnswerParts) -> Self {
        let text = parts.text.filter(|text| !text.is_empty());
        if let Some((at, category)) = parts.filtered {
            return Self::Filtered { at, category, text };
        }
        match (parts.refusal, parts.is_truncated, text) {
            (Some(refusal), _, text) if refusal.is_empty() => {
                Self::Refused { text: text.unwrap_or_default() }
            }
            (Some(refusal), ..) => Self::Refused { text: refusal },
            (None, true, text) => Self::Truncated { text: text.unwrap_or_default() },
            (None, false, Some(text)) if !text.trim().is_empty() => Self::Answered { text },
            (None, false, _) => Self::Empty,
        }
    }
}

impl Outcome {
    /// The kind's name, in the journal and in names of columns.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Refused { .. } => "refused",
            Self::Filtered { .. } => "filtered",
            Self::Truncated { .. } => "truncated",
            Self::Empty => "empty",
            Self::Unreadable { .. } => "unreadable",
            Self::Failed(_) => "failed",
        }
    }
}
