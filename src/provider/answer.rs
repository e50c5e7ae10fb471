//! What an answer means.

use super::rate_limit::RateLimitInfo;

/// An answer, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What came of the request.
    pub outcome: Outcome,
    /// Tokens as the server counted them.
    pub usage: Option<Usage>,
    /// The model that answered, often a dated name.
    pub model_snapshot: Option<String>,
    /// What the server calls its configuration.
    pub system_fingerprint: Option<String>,
    /// Why the answer ended, in the provider's word.
    pub finish_reason: Option<String>,
    /// Log-probabilities, one per token.
    pub logprobs: Option<Vec<TokenLogprob>>,
    /// What the answer says of the rate limit.
    pub rate_limit: RateLimitInfo,
}

/// What came of a request. Where several hold, the first of filtered, refused, truncated, empty, answered is
/// taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A whole answer. An unknown finish reason with a text is an answer too.
    Answered {
        /// What was said, as it came.
        text: String,
    },
    /// The model declined.
    Refused {
        /// In these words; may be empty.
        text: String,
    },
    /// A filter of the provider withheld the answer.
    Filtered {
        /// What was filtered.
        at: FilterSide,
        /// The provider's word for why.
        category: Option<String>,
        /// What was let through, if anything.
        text: Option<String>,
    },
    /// The answer was cut at the token limit.
    Truncated {
        /// What came before the cut; empty where thinking took it all.
        text: String,
    },
    /// A whole answer without a text.
    Empty,
    /// Bytes no reader understands; they were paid for and are never asked for again by themselves.
    Unreadable {
        /// Why, with the beginning of the body.
        reason: String,
    },
    /// No answer.
    Failed(Failure),
}

/// Which side a filter stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterSide {
    /// The prompt was refused before the model saw it.
    Prompt,
    /// The answer was held back.
    Answer,
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is to be done about it.
    pub class: FailureClass,
    /// The server's own words, or ours.
    pub message: String,
    /// The server's code, as text.
    pub code: Option<String>,
    /// The parameter at fault.
    pub param: Option<String>,
}

/// What is to be done about a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The request never left: ask again freely.
    NotSent,
    /// Turned away and not billed (429): ask again after the wait.
    Rejected,
    /// The server is overloaded (503, 529): ask again after a longer wait.
    Overloaded,
    /// It may have been answered and billed (500, 502, 504, 408, resets, timeouts): ask again at most a few
    /// times.
    Unknown,
    /// This request is at fault: never asked again, the run goes on.
    Invalid,
    /// Credit or a long quota is used up: the run stops.
    Quota,
    /// The key is missing or wrong, or may not do this: the run stops.
    Credentials,
    /// There is no such model or path: the run stops.
    NoModel,
    /// The server points elsewhere: the run stops, nothing is sent there.
    Redirect {
        /// The other host, as the server names it.
        host: String,
    },
    /// A parameter is not supported: the run stops, or changes it for all requests.
    Unsupported {
        /// The parameter's name on the wire.
        param: String,
    },
}

/// Tokens as the server counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Of the prompt, cached ones included; `None` where they were not counted.
    pub prompt_tokens: Option<u64>,
    /// Of the answer, thinking included: what is billed as output; `None` where they were not counted.
    pub completion_tokens: Option<u64>,
    /// Of these, thinking.
    pub reasoning_tokens: Option<u64>,
    /// Of the prompt, those read from a cache.
    pub cached_tokens: Option<u64>,
}

impl Usage {
    /// What was counted; `None` if nothing was.
    pub(super) fn counted(self) -> Option<Self> {
        self.prompt_tokens.or(self.completion_tokens).map(|_| self)
    }
}

/// A token with its log-probability.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// Its text as the server prints it.
    pub token: String,
    /// Its bytes, where the server gives them: a token may be part of a character.
    pub bytes: Option<Vec<u8>>,
    /// Nats; `None` for the first token of an echoed prompt.
    pub logprob: Option<f64>,
    /// The likeliest tokens at this position, with their log-probabilities.
    pub top: Vec<(String, f64)>,
    /// Where it begins in the text, in characters.
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
}

/// What a wire format says of one answer, before it is decided what came of the request.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerParts {
    pub(super) text: Option<String>,
    pub(super) refusal: Option<String>,
    pub(super) filtered: Option<(FilterSide, Option<String>)>,
    pub(super) cut: bool,
}

impl From<AnswerParts> for Outcome {
    /// The precedence, in the one place where it is decided.
    fn from(said: AnswerParts) -> Self {
        let text = said.text.filter(|text| !text.is_empty());
        if let Some((at, category)) = said.filtered {
            return Self::Filtered { at, category, text };
        }
        match (said.refusal, said.cut, text) {
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
    /// The kind's name, as it stands in the journal and in the names of columns.
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

impl FailureClass {
    /// Its name, as it stands in the journal.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Rejected => "rejected",
            Self::Overloaded => "overloaded",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
            Self::Quota => "quota",
            Self::Credentials => "credentials",
            Self::NoModel => "no_model",
            Self::Redirect { .. } => "redirect",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}
