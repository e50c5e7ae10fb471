//! What is known of a provider beside its request and answer format: how its keys, its rate-limit headers and
//! its error bodies look. Each provider declares one constant of [`Conventions`] in its own file.
//!
//! Compatible servers and gateways pass on each other's headers and error bodies, so that a response is read
//! with the conventions of all providers together (see [`crate::provider::read`]). What HTTP itself defines
//! (the usual statuses, `retry-after`, `date`) belongs to no provider and is read in the same place for all.

use serde_json::Value;

use super::failure_class::{FailureClass, FilterSide};
use super::request::KeyHeader;

/// How API keys of a provider begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPattern {
    /// The prefix that all keys of this kind share; it identifies no single key.
    pub prefix: &'static str,
    /// How many characters after the prefix make a text count as a key, whoever owns it; `None` where
    /// ordinary words also begin with the prefix.
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

/// What is known of one provider; see the module documentation.
#[derive(Debug)]
pub struct Conventions {
    /// How its keys begin.
    pub key_patterns: &'static [KeyPattern],
    /// Headers in which some of its servers expect the key, beside [`crate::provider::Provider::key_header`].
    pub other_key_headers: &'static [KeyHeader],
    /// Prefixes of response headers that are worth keeping, beside those of HTTP itself.
    pub kept_headers: &'static [&'static str],
    /// Rate-limit windows that count requests.
    pub request_windows: &'static [WindowHeaders],
    /// Rate-limit windows that count tokens.
    pub token_windows: &'static [WindowHeaders],
    /// The header with the wait before a retry in milliseconds, which is finer than HTTP's `retry-after`.
    pub retry_after_ms_header: Option<&'static str>,
    /// The header with the server's advice on a retry, `true` or `false`.
    pub should_retry_header: Option<&'static str>,
    /// The wait before a retry, in seconds, where the error object of the body names it.
    pub retry_after_s: Option<fn(&Value) -> Option<f64>>,
    /// HTTP statuses that no standard defines, with the class they mean.
    pub statuses: &'static [(u16, FailureClass)],
    /// Members and values that mark a body as an error object itself, without a member `error`.
    pub error_marks: &'static [(&'static str, &'static str)],
    /// JSON pointers into an error object to further codes.
    pub code_pointers: &'static [&'static str],
    /// JSON pointers into an error object to its message, where it is not the member `message`.
    pub message_pointers: &'static [&'static str],
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
    /// Codes of errors that call the parameter in their member `param` unsupported.
    pub unsupported_codes: &'static [&'static str],
    /// Texts before and after the name of a parameter in messages that call it unsupported.
    pub unsupported_messages: &'static [(&'static str, &'static str)],
    /// The parameter that an error object calls unsupported.
    pub unsupported_param: Option<fn(&Value) -> Option<String>>,
}

impl Conventions {
    /// No conventions.
    pub const NONE: Self = Self {
        key_patterns: &[],
        other_key_headers: &[],
        kept_headers: &[],
        request_windows: &[],
        token_windows: &[],
        retry_after_ms_header: None,
        should_retry_header: None,
        retry_after_s: None,
        statuses: &[],
        error_marks: &[],
        code_pointers: &[],
        message_pointers: &[],
        error_codes: &[],
        error_messages: &[],
        is_long_quota: None,
        filter_codes: &[],
        filter_messages: &[],
        is_filtered: None,
        filter_category: None,
        unsupported_codes: &[],
        unsupported_messages: &[],
        unsupported_param: None,
    };
}
