//! Failed requests, classified by how to respond to them.

/// Whether a content filter acted on the prompt or on the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterSide {
    /// The prompt was refused before the model read it.
    Prompt,
    /// The answer was withheld.
    Answer,
}

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How to respond to it.
    pub class: FailureClass,
    /// The message of the server, or one of surmise.
    pub message: String,
    /// The server's code, as text.
    pub code: Option<String>,
    /// The parameter at fault.
    pub param: Option<String>,
    /// The parameters that the error names anywhere, by their names on the wire.
    pub names: Vec<String>,
}

/// How to respond to a failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The request was not sent: retry without limit.
    NotSent,
    /// Rejected and not billed (429): retry after the wait.
    Rejected,
    /// The server is overloaded (503, 529): retry after a longer wait.
    Overloaded,
    /// It may have been answered and billed (500, 502, 504, 408, resets, timeouts): retry a few times.
    Unknown,
    /// The request itself is invalid: no retry, the run goes on.
    Invalid,
    /// The request is larger than the model's window or the account's limit: no retry, the run goes on.
    TooLarge,
    /// Refused (403) without a reason: the run stops unless the key was accepted before.
    Forbidden,
    /// Credit or a long quota is used up: the run stops.
    Quota,
    /// The key is missing or wrong, or may not do this: the run stops.
    Credentials,
    /// No such model or path: the run stops.
    NoModel,
    /// The server redirects: the run stops, nothing is sent to the other host.
    Redirect {
        /// The other host, as the server names it.
        host: String,
    },
    /// A parameter is not supported: the run stops, or leaves it out of all requests.
    Unsupported {
        /// The parameter's name on the wire.
        param: String,
        /// Other parameters that the error names.
        also: Vec<String>,
    },
    /// The value of a parameter is too high: the run stops, or lowers it for all requests.
    TooHigh {
        /// The parameter's name on the wire.
        param: String,
    },
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
            Self::TooLarge => "too_large",
            Self::Forbidden => "forbidden",
            Self::Quota => "quota",
            Self::Credentials => "credentials",
            Self::NoModel => "no_model",
            Self::Redirect { .. } => "redirect",
            Self::Unsupported { .. } => "unsupported",
            Self::TooHigh { .. } => "too_high",
        }
    }
}
