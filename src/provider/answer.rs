//! Defines what a response contains, and decides the outcome of a request.

use serde_json::Value;

use super::failure_class::{Failure, FailureClass, FilterSide};
use super::finish_reason::Finish;
use super::rate_limit::RateLimitInfo;
use super::text::clip;

/// A response that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The outcome of the request.
    pub outcome: Outcome,
    /// The token counts that the server reports.
    pub usage: Option<Usage>,
    /// The model snapshot that answered, often a dated name.
    pub model_snapshot: Option<String>,
    /// The server's fingerprint of its configuration.
    pub system_fingerprint: Option<String>,
    /// The provider's finish reason.
    pub finish_reason: Option<String>,
    /// Whether the response contains reasoning in addition to the text.
    pub has_reasoning: bool,
    /// Log-probabilities, one per token.
    pub logprobs: Option<Vec<TokenLogprob>>,
    /// The rate-limit information of the response.
    pub rate_limit: RateLimitInfo,
    /// The billing information of the response.
    pub billing: Billing,
}

/// The billing information of a response.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Billing {
    /// The service tier that processed the request, if the server names one.
    pub service_tier: Option<String>,
    /// The cost of the request in USD, if the provider states it.
    pub cost_usd: Option<f64>,
}

/// The outcome of a request. If several outcomes apply, the first one in this order counts: filtered,
/// refused, truncated, empty, answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A complete answer.
    Answered {
        /// The text, unchanged.
        text: String,
    },
    /// The model refused to answer.
    Refused {
        /// The text of the refusal; may be empty.
        text: String,
    },
    /// A content filter of the provider withheld the answer.
    Filtered {
        /// Whether the prompt or the answer was filtered.
        at: FilterSide,
        /// The category of the filter, as the provider names it.
        category: Option<String>,
        /// The text that passed the filter, if any.
        text: Option<String>,
    },
    /// The answer is incomplete: it reached the token limit, it was aborted, or the server does not confirm
    /// that it is complete.
    Truncated {
        /// The received text; empty if the answer stops inside its reasoning.
        text: String,
    },
    /// A complete answer without text.
    Empty,
    /// A body without a readable answer. It is billed, and the question is not sent again automatically.
    Unreadable {
        /// The reason, with the beginning of the body.
        reason: String,
    },
    /// The request failed.
    Failed(Failure),
}

/// The token counts that a server reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, including cached tokens; `None` if the server does not report them.
    pub prompt_tokens: Option<u64>,
    /// Tokens billed as output: the answer with its reasoning; `None` if the server does not report them.
    pub completion_tokens: Option<u64>,
    /// Tokens of reasoning, which are part of the completion tokens.
    pub reasoning_tokens: Option<u64>,
    /// Prompt tokens that were read from a cache.
    pub cached_tokens: Option<u64>,
    /// Prompt tokens that were written to a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Prompt tokens that are audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_prompt_tokens: Option<u64>,
    /// Answer tokens that are audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_completion_tokens: Option<u64>,
}

impl Usage {
    /// Whether the count of cached, cache-write or audio tokens exceeds the count of all prompt tokens, which
    /// is inconsistent.
    pub fn exceeds_prompt(&self) -> bool {
        let parts = [self.cached_tokens, self.cache_write_tokens, self.audio_prompt_tokens];
        self.prompt_tokens.is_some_and(|prompt| parts.into_iter().flatten().any(|part| part > prompt))
    }

    /// Returns the counts, or `None` if the counts of the prompt and of the answer are both missing.
    pub(super) fn counted(self) -> Option<Self> {
        self.prompt_tokens.or(self.completion_tokens).map(|_| self)
    }

    /// Removes zero counts that cannot be correct: every prompt and every nonempty answer has at least one
    /// token. Returns `None` if no count is left.
    pub(super) fn without_zeros(mut self, has_text: bool) -> Option<Self> {
        self.prompt_tokens = self.prompt_tokens.filter(|tokens| *tokens > 0);
        self.completion_tokens = self.completion_tokens.filter(|tokens| *tokens > 0 || !has_text);
        // A server that does not count tokens reports zeros everywhere.
        if self.prompt_tokens.is_none() && self.completion_tokens == Some(0) {
            self.completion_tokens = None;
        }
        self.counted()
    }
}

/// A token with its log-probability.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// The text of the token, as reported by the server.
    pub token: String,
    /// The bytes of the token, if the server reports them. A token may be a part of a character, which
    /// `token` cannot represent.
    pub bytes: Option<Vec<u8>>,
    /// Log-probability in nats; `None` for the first token of an echoed prompt.
    pub logprob: Option<f64>,
    /// The most likely tokens at this position, with their log-probabilities.
    pub top: Vec<(String, f64)>,
    /// Position of the token's first character in the text.
    pub offset: Option<u64>,
}

impl Answer {
    /// An answer with an outcome and no other information.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            usage: None,
            model_snapshot: None,
            system_fingerprint: None,
            finish_reason: None,
            has_reasoning: false,
            logprobs: None,
            rate_limit: RateLimitInfo::default(),
            billing: Billing::default(),
        }
    }

    /// The number of tokens with a log-probability.
    pub fn n_logprobs(&self) -> usize {
        self.logprobs.iter().flatten().filter(|token| token.logprob.is_some()).count()
    }
}

/// The parts of an answer as read from a wire format, before the outcome is decided.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerParts {
    pub(super) text: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) filtered: Option<(FilterSide, Option<String>)>,
    pub(super) finish: Finish,
    /// The finish reason as text, for messages.
    pub(super) reason: Option<String>,
    /// Whether the response contains reasoning in addition to the text.
    pub(super) has_reasoning: bool,
    /// The tool that the model called.
    pub(super) tool: Option<String>,
}

impl From<AnswerParts> for Outcome {
    /// Decides the outcome. If several outcomes apply, the order in the documentation of [`Outcome`] decides.
    fn from(parts: AnswerParts) -> Self {
        let text = parts.text.filter(|text| !text.is_empty());
        if let Some((at, category)) = parts.filtered {
            return Self::Filtered { at, category, text };
        }
        if parts.finish == Finish::Filtered {
            return Self::Filtered { at: FilterSide::Answer, category: parts.reason, text };
        }
        let declined = (parts.finish == Finish::Refused).then(String::new);
        match parts.refusal.or(declined) {
            Some(refusal) if refusal.is_empty() => return Self::Refused { text: text.unwrap_or_default() },
            Some(refusal) => return Self::Refused { text: refusal },
            None => {}
        }
        if let Some(tool) = parts.tool {
            return unreadable(format!("the model called the tool {:?} instead of answering", clip(&tool)));
        }
        let text = text.filter(|text| parts.finish == Finish::Truncated || !text.trim().is_empty());
        let reason = parts.reason.as_deref().unwrap_or("none");
        match (parts.finish, text) {
            (Finish::NoAnswer, _) => {
                unreadable(format!("the response has no answer (finish reason: {})", clip(reason)))
            }
            (Finish::Complete | Finish::ToolCall, Some(text)) => Self::Answered { text },
            (Finish::Truncated | Finish::Aborted | Finish::Unknown, Some(text)) => Self::Truncated { text },
            (Finish::Truncated, None) => Self::Truncated { text: String::new() },
            (Finish::Aborted, None) => interrupted(reason),
            // The answer stops inside its reasoning.
            (_, None) if parts.has_reasoning => Self::Truncated { text: String::new() },
            (Finish::Complete, None) => Self::Empty,
            (_, None) => unreadable(format!("the response has no text (finish reason: {})", clip(reason))),
            // Unreachable: for these two finish reasons, the function has returned above.
            (Finish::Filtered | Finish::Refused, Some(text)) => Self::Truncated { text },
        }
    }
}

fn unreadable(reason: String) -> Outcome {
    Outcome::Unreadable { reason }
}

/// The outcome of a successful response without an answer; the reason quotes the body.
pub(super) fn no_answer(body: &Value) -> Outcome {
    unreadable(format!("the response is successful, but contains no answer: {}", clip(&body.to_string())))
}

/// The outcome of an answer that the server aborted with this finish reason.
pub(super) fn interrupted(reason: &str) -> Outcome {
    let message = format!("the server aborted the answer ({})", clip(reason));
    Outcome::Failed(Failure {
        class: FailureClass::Unknown,
        message,
        code: Some(clip(reason)),
        param: None,
        names: vec![],
    })
}

impl Outcome {
    /// The name of the outcome in the journal and in column names.
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

    /// Whether the outcome has text.
    pub(super) fn has_text(&self) -> bool {
        match self {
            Self::Answered { text } | Self::Refused { text } | Self::Truncated { text } => !text.is_empty(),
            Self::Filtered { text, .. } => text.is_some(),
            Self::Empty | Self::Unreadable { .. } | Self::Failed(_) => false,
        }
    }
}
