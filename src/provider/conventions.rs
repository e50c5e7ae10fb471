//! What is known of a provider beside its request and answer format: how its keys, its rate-limit headers and
//! its error bodies look. Each provider declares one constant of [`Conventions`] in its own file.
//!
//! Compatible servers and gateways pass on each other's headers and error bodies, so that a response is read
//! with the conventions of all providers together (see [`crate::provider::read`]).

use serde_json::Value;

use super::answer::{FailureClass, FilterSide};

/// How API keys of a provider begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPattern {
    /// The prefix that all keys of this kind share; it says nothing about a single key.
    pub prefix: &'static str,
    /// Characters after the prefix from which on a text is taken for a key, whoever owns it; `None` where
    /// ordinary words begin like this, too.
    pub least_tail: Option<usize>,
}

impl KeyPattern {
    /// A prefix that is only used to recognise parts of the key in use.
    pub(super) const fn prefix(prefix: &'static str) -> Self {
        Self { prefix, least_tail: None }
    }
}

/// Headers that describe one rate-limit window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowHeaders {
    /// The header with the amount left in the window.
    pub remaining: &'static str,
    /// The header with the end of the window.
    pub reset: &'static str,
}

/// Declared knowledge of one provider; see the module documentation.
#[derive(Debug)]
pub struct Conventions {
    /// How its keys begin.
    pub key_patterns: &'static [KeyPattern],
    /// Prefixes of response headers that are worth keeping, beside those of HTTP itself.
    pub kept_headers: &'static [&'static str],
    /// Rate-limit windows that count requests.
    pub request_windows: &'static [WindowHeaders],
    /// Rate-limit windows that count tokens.
    pub token_windows: &'static [WindowHeaders],
    /// The wait before a retry, in seconds, where the error object of the body names it.
    pub retry_after_s: Option<fn(&Value) -> Option<f64>>,
    /// Error codes and types, with the class they mean whatever the HTTP status.
    pub error_codes: &'static [(&'static str, FailureClass)],
    /// Beginnings of error messages that have no code of their own.
    pub error_messages: &'static [(&'static str, FailureClass)],
    /// Whether an error object reports a quota that is not over within minutes.
    pub is_long_quota: Option<fn(&Value) -> bool>,
    /// Codes of prompts that a content filter refused.
    pub filter_codes: &'static [&'static str],
    /// Beginnings of messages of content filters without a code.
    pub filter_messages: &'static [(&'static str, FilterSide)],
    /// Whether an error object reports a content filter without any of these codes and messages.
    pub is_filtered: Option<fn(&Value) -> bool>,
    /// The category for which a content filter refused a prompt, where the error object names it.
    pub filter_category: Option<fn(&Value) -> Option<String>>,
    /// Texts before and after the name of a parameter in messages that call it unsupported.
    pub unsupported_messages: &'static [(&'static str, &'static str)],
    /// The parameter that an error object calls unsupported.
    pub unsupported_param: Option<fn(&Value) -> Option<String>>,
}

impl Conventions {
    /// Nothing is known.
    pub const NONE: Self = Self {
        key_patterns: &[],
        kept_headers: &[],
        request_windows: &[],
        token_windows: &[],
        retry_after_s: None,
        error_codes: &[],
        error_messages: &[],
        is_long_quota: None,
        filter_codes: &[],
        filter_messages: &[],
        is_filtered: None,
        filter_category: None,
        unsupported_messages: &[],
        unsupported_param: None,
    };
}
