//! Classifies error responses, first by their error codes, which are more specific, then by the HTTP status.
//! The codes of each provider are declared in its [`Conventions`]. The standard HTTP statuses are classified
//! here, because they apply to all providers.

use serde_json::Value;

use super::answer::Outcome;
use super::conventions::Conventions;
use super::failure_class::{Failure, FailureClass, FilterSide};
use super::json;
use super::text::clip;
use super::wordings::Wording;

/// The order in which classes are tried if an error has several codes.
const CLASS_ORDER: [FailureClass; 6] = [
    FailureClass::Credentials,
    FailureClass::NoModel,
    FailureClass::TooLarge,
    FailureClass::Invalid,
    FailureClass::Rejected,
    FailureClass::Overloaded,
];

/// Classifies errors by the conventions of several providers, because gateways forward each other's errors.
#[derive(Debug)]
pub struct ErrorClassifier {
    known: Vec<&'static Conventions>,
}

impl ErrorClassifier {
    /// Creates a classifier with these conventions.
    pub fn new(known: impl IntoIterator<Item = &'static Conventions>) -> Self {
        Self { known: known.into_iter().collect() }
    }

    /// Returns the outcome of an error, which is an error object or a plain string.
    pub fn classify(&self, status: u16, error: &Value) -> Outcome {
        let code = json::word(&error["code"])
            .or_else(|| json::word(&error["type"]))
            .or_else(|| json::word(&error["status"]));
        let (text, codes) = (self.message_of(error).unwrap_or_default(), self.codes_of(error));
        let message = if text.trim().is_empty() {
            format!("status {status}")
        } else {
            format!("status {status}: {}", clip(text))
        };
        // In a response with status 200, the code inside the error is the real status.
        let inner = json::count(&error["code"]).and_then(|code| u16::try_from(code).ok());
        let status = match inner {
            Some(inner @ 300..=599) if (200..300).contains(&status) => inner,
            _ => status,
        };
        let words = Wording::of(error);
        if let Some((side, category)) = self.filtered(error, status, text, &codes, &words) {
            return Outcome::Filtered { at: side, category: category.or(code), text: None };
        }
        if words.is_cut() {
            return Outcome::Truncated { text: String::new() };
        }
        let is_quota = self.has_code(&codes, &FailureClass::Quota)
            || status == 402
            || self.known.iter().any(|known| known.is_long_quota.is_some_and(|is_long| is_long(error)));
        let class = if is_quota {
            FailureClass::Quota
        } else if is_refusal(status) && words.is_account_refused() {
            FailureClass::Credentials
        } else {
            self.class_of_words(error, status, text, &codes, &words)
                .or_else(|| CLASS_ORDER.into_iter().find(|class| self.has_code(&codes, class)))
                .or_else(|| self.class_of_message(text))
                .or_else(|| (is_refusal(status) && words.is_no_model()).then_some(FailureClass::NoModel))
                .or_else(|| self.class_of_declared_status(status))
                .unwrap_or_else(|| class_of_status(status))
        };
        Outcome::Failed(Failure {
            class,
            message,
            code,
            param: error["param"].as_str().map(clip),
            names: words.names(),
        })
    }

    /// The error object in a body, if any. A response with a successful status may contain an error object
    /// too.
    pub fn error_in<'a>(&self, body: &'a Value) -> Option<&'a Value> {
        let body = if body.is_array() { &body[0] } else { body };
        let error = &body["error"];
        let present = match error {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Object(members) => !members.is_empty(),
            _ => true,
        };
        if present {
            return Some(error);
        }
        let mut marks = self.known.iter().flat_map(|known| known.error_marks);
        marks.any(|(member, value)| body[*member] == *value).then_some(body)
    }

    /// Every string of an error that may be a code: the members `code`, `type`, `status` and `reason` of the
    /// error and of the objects one level inside it, and the places that providers declare.
    fn codes_of<'a>(&self, error: &'a Value) -> Vec<&'a str> {
        const MEMBERS: [&str; 4] = ["code", "type", "status", "reason"];
        let inner = [error, &error["details"], &error["error"]];
        let listed = error["details"].as_array().into_iter().flatten();
        let members = inner
            .into_iter()
            .chain(listed)
            .flat_map(|object| MEMBERS.iter().filter_map(|name| object[*name].as_str()));
        let declared = self.known.iter().flat_map(|known| known.code_pointers);
        members.chain(declared.filter_map(|place| error.pointer(place)?.as_str())).collect()
    }

    /// The message of the server: the member `message`, a place that a provider declares, or the error
    /// itself.
    fn message_of<'a>(&self, error: &'a Value) -> Option<&'a str> {
        let declared = self.known.iter().flat_map(|known| known.message_pointers);
        let declared = || declared.filter_map(|place| error.pointer(place)).find_map(Value::as_str);
        error["message"].as_str().or_else(declared).or_else(|| error.as_str())
    }

    fn has_code(&self, codes: &[&str], class: &FailureClass) -> bool {
        let known = self.known.iter().flat_map(|known| known.error_codes);
        known.filter(|(_, of)| of == class).any(|(code, _)| codes.contains(code))
    }

    fn class_of_declared_status(&self, status: u16) -> Option<FailureClass> {
        let mut statuses = self.known.iter().flat_map(|known| known.statuses);
        statuses.find(|(declared, _)| *declared == status).map(|(_, class)| class.clone())
    }

    fn class_of_message(&self, text: &str) -> Option<FailureClass> {
        let mut messages = self.known.iter().flat_map(|known| known.error_messages);
        messages.find(|(begins, _)| text.starts_with(begins)).map(|(_, class)| class.clone())
    }

    /// The class according to the wording of an error: an unsupported parameter, a value that is too high, or
    /// a request that is too large. Such an error may come with any refusal status and a less specific code.
    fn class_of_words(
        &self,
        error: &Value,
        status: u16,
        text: &str,
        codes: &[&str],
        words: &Wording,
    ) -> Option<FailureClass> {
        if let Some(param) = self.unsupported(error, text, codes) {
            return Some(FailureClass::Unsupported { param, also: vec![] });
        }
        if matches!(status, 413 | 429) || is_refusal(status) {
            // "max_tokens is too large: 64. The maximum context length is 4096" means that the prompt is too
            // long.
            if status != 429 && words.is_too_large_in_all() {
                return Some(FailureClass::TooLarge);
            }
            if let Some(param) = words.too_high().filter(|_| status != 429) {
                return Some(FailureClass::TooHigh { param: param.into() });
            }
            if words.is_too_large(status) {
                return Some(FailureClass::TooLarge);
            }
        }
        if !is_refusal(status) {
            return None;
        }
        let mut named = words.unsupported().into_iter().map(String::from);
        let param = named.next()?;
        Some(FailureClass::Unsupported { param, also: named.collect() })
    }

    /// Whether a content filter withheld the prompt or the answer, and the category. `None` if the error does
    /// not come from a content filter.
    fn filtered(
        &self,
        error: &Value,
        status: u16,
        text: &str,
        codes: &[&str],
        words: &Wording,
    ) -> Option<(FilterSide, Option<String>)> {
        if words.is_account_refused() {
            return None;
        }
        let known = || self.known.iter();
        let has_code = known().flat_map(|known| known.filter_codes).any(|code| codes.contains(code));
        if has_code || known().any(|known| known.is_filtered.is_some_and(|is_filtered| is_filtered(error))) {
            let category = known().filter_map(|known| known.filter_category).find_map(|find| find(error));
            return Some((FilterSide::Prompt, category));
        }
        let mut messages = known().flat_map(|known| known.filter_messages);
        if let Some((_, side)) = messages.find(|(begins, _)| text.starts_with(begins)) {
            return Some((*side, None));
        }
        let side = if words.is_of_output() { FilterSide::Answer } else { FilterSide::Prompt };
        let is_filtered = status == UNAVAILABLE_FOR_LEGAL_REASONS || words.is_filtered();
        (is_refusal(status) && is_filtered).then_some((side, None))
    }

    /// The parameter that the server does not support, if the error reports one.
    fn unsupported(&self, error: &Value, text: &str, codes: &[&str]) -> Option<String> {
        if self.known.iter().flat_map(|known| known.unsupported_codes).any(|code| codes.contains(code)) {
            return Some(error["param"].as_str().map_or_else(|| "unknown".into(), clip));
        }
        let mut messages = self.known.iter().flat_map(|known| known.unsupported_messages);
        let mut find = self.known.iter().filter_map(|known| known.unsupported_param);
        messages
            .find_map(|(before, after)| param_between(text, before, after))
            .or_else(|| find.find_map(|find| find(error)))
    }
}

/// The status that some providers return for filtered content.
const UNAVAILABLE_FOR_LEGAL_REASONS: u16 = 451;

/// Whether a response with this status may refuse a request because of its content. Statuses such as 401, 405
/// and 429 concern only the key, the method or the rate. Statuses 200 to 299, 500 and 501 are included,
/// because a gateway may use them to report a refusal by the provider behind it.
fn is_refusal(status: u16) -> bool {
    matches!(status, 200..300 | 400 | 403 | 404 | 406 | 409 | 410 | 415 | 422 | 424 | 446 | 451 | 500 | 501)
}

/// The class of a status, for errors without a more specific code.
fn class_of_status(status: u16) -> FailureClass {
    match status {
        401 => FailureClass::Credentials,
        403 => FailureClass::Forbidden,
        404 | 405 | 410 => FailureClass::NoModel,
        409 | 425 | 429 => FailureClass::Rejected,
        503 => FailureClass::Overloaded,
        // nginx and other proxies use 499 for a connection that closed before the answer.
        408 | 499 => FailureClass::Unknown,
        413 => FailureClass::TooLarge,
        400..500 => FailureClass::Invalid,
        // Any other error may have occurred after the answer was generated and billed.
        _ => FailureClass::Unknown,
    }
}

/// The parameter name between two texts of a message.
fn param_between(message: &str, before: &str, after: &str) -> Option<String> {
    let rest = message.strip_prefix(before)?;
    let name = if after.is_empty() { rest.trim() } else { &rest[..rest.find(after)?] };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    // The last part of a path is the name of the parameter.
    if is_name { name.rsplit('.').next().map(clip) } else { None }
}
