//! Classifies failed requests by how surmise responds to them.

/// Whether a content filter acted on the prompt or on the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterSide {
    /// The prompt was refused before the model read it.
    Prompt,
    /// The answer was withheld.
    Answer,
}

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class, which decides how surmise responds.
    pub class: FailureClass,
    /// The message of the server or of surmise.
    pub message: String,
    /// The error code of the server.
    pub code: Option<String>,
    /// The parameter that caused the failure.
    pub param: Option<String>,
    /// All parameters that the error mentions, by their names in the wire format.
    pub names: Vec<String>,
}

/// The class of a failure, which decides how surmise responds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The request was not sent: surmise retries without limit.
    NotSent,
    /// The request was rejected and not billed (429): surmise waits and retries.
    Rejected,
    /// The server is overloaded (503, 529): surmise waits longer and retries.
    Overloaded,
    /// The request may have been answered and billed (500, 502, 504, 408, connection resets, timeouts):
    /// surmise retries a few times.
    Unknown,
    /// The request is invalid: surmise does not retry, and the run continues.
    Invalid,
    /// The request exceeds the model's context window or the account's limit: surmise does not retry, and the
    /// run continues.
    TooLarge,
    /// The request was refused (403) without a reason: the run stops unless the key was accepted before.
    Forbidden,
    /// The credit or a long-term quota is used up: the run stops.
    Quota,
    /// The key is missing, wrong, or lacks permission: the run stops.
    Credentials,
    /// The model or path does not exist: the run stops.
    NoModel,
    /// The server redirects: the run stops, and nothing is sent to the other host.
    Redirect {
        /// The host that the redirect names.
        host: String,
    },
    /// A parameter is not supported: the run stops, or omits the parameter from all requests.
    Unsupported {
        /// The name of the parameter in the wire format.
        param: String,
        /// Other parameters that the error mentions.
        also: Vec<String>,
    },
    /// The value of a parameter is too high: the run stops, or lowers the value for all requests.
    TooHigh {
        /// The name of the parameter in the wire format.
        param: String,
    },
}

impl FailureClass {
    /// The name of the class in the journal.
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
