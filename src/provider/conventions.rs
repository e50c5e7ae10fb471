//! Describes the conventions of a provider apart from its request and answer format: its keys, rate-limit
//! headers and error bodies. Each provider declares one [`Conventions`] constant in its own file.
//!
//! Compatible servers and gateways forward each other's headers and error bodies, so a response is read with
//! the conventions of all providers together (see [`crate::provider::read`]). The usual statuses and the
//! headers `retry-after` and `date` belong to HTTP, not to a provider; the reader handles them for all
//! providers.

use serde_json::Value;

use super::failure_class::{FailureClass, FilterSide};
use super::request::KeyHeader;

/// A pattern of a provider's API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPattern {
    /// The prefix of all keys of this kind; it is not secret.
    pub prefix: &'static str,
    /// A text with this prefix and at least this many characters after it counts as an API key. `None` if
    /// ordinary words may start with the prefix too.
    pub least_tail: Option<usize>,
}

impl KeyPattern {
    /// A prefix that does not identify a key by itself, but helps to find fragments of the key of the run.
    pub(super) const fn prefix(prefix: &'static str) -> Self {
        Self { prefix, least_tail: None }
    }
}

/// Headers that describe one rate-limit window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowHeaders {
    /// The header with the remaining amount in the window.
    pub remaining: &'static str,
    /// The header with the end of the window.
    pub reset: &'static str,
}

/// The conventions of one provider; see the module documentation.
#[derive(Debug)]
pub struct Conventions {
    /// The patterns of the provider's keys.
    pub key_patterns: &'static [KeyPattern],
    /// Headers in which some of the provider's servers expect the key, in addition to
    /// [`crate::provider::Provider::key_header`].
    pub other_key_headers: &'static [KeyHeader],
    /// Prefixes of response headers to store, in addition to the standard headers of HTTP.
    pub kept_headers: &'static [&'static str],
    /// Rate-limit windows that count requests.
    pub request_windows: &'static [WindowHeaders],
    /// Rate-limit windows that count tokens.
    pub token_windows: &'static [WindowHeaders],
    /// The header with the wait before a retry in milliseconds, more precise than HTTP's `retry-after`.
    pub retry_after_ms_header: Option<&'static str>,
    /// The header with the server's advice on a retry, `true` or `false`.
    pub should_retry_header: Option<&'static str>,
    /// Reads the wait before a retry, in seconds, from the error object, if it states one.
    pub retry_after_s: Option<fn(&Value) -> Option<f64>>,
    /// Non-standard HTTP statuses, with their class.
    pub statuses: &'static [(u16, FailureClass)],
    /// Members and values that mark a body as an error object if it has no member `error`.
    pub error_marks: &'static [(&'static str, &'static str)],
    /// JSON pointers to further codes in an error object.
    pub code_pointers: &'static [&'static str],
    /// JSON pointers to the message in an error object, if it is not in the member `message`.
    pub message_pointers: &'static [&'static str],
    /// Error codes and types with their class, which applies at any HTTP status.
    pub error_codes: &'static [(&'static str, FailureClass)],
    /// Beginnings of messages that come without an error code, with their class.
    pub error_messages: &'static [(&'static str, FailureClass)],
    /// Whether an error object reports a quota that lasts longer than minutes.
    pub is_long_quota: Option<fn(&Value) -> bool>,
    /// Error codes for prompts that a content filter refused.
    pub filter_codes: &'static [&'static str],
    /// Beginnings of messages of content filters that come without an error code.
    pub filter_messages: &'static [(&'static str, FilterSide)],
    /// Whether an error object reports a content filter in another way than by [`Self::filter_codes`] and
    /// [`Self::filter_messages`].
    pub is_filtered: Option<fn(&Value) -> bool>,
    /// Reads the category for which a content filter refused a prompt, if the error object states it.
    pub filter_category: Option<fn(&Value) -> Option<String>>,
    /// Error codes for an unsupported parameter, which the member `param` names.
    pub unsupported_codes: &'static [&'static str],
    /// Texts before and after the parameter name in messages about an unsupported parameter.
    pub unsupported_messages: &'static [(&'static str, &'static str)],
    /// Reads the unsupported parameter from an error object.
    pub unsupported_param: Option<fn(&Value) -> Option<String>>,
}

impl Conventions {
    /// Empty conventions.
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
