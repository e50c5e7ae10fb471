//! Recognises the meaning of error messages that come without an error code, by a table of text fragments for
//! each meaning.
//!
//! A text is converted to lower case, with `'` for every kind of quote, and searched for the fragments. Every
//! string of an error object is searched, because a gateway may put the error of the provider behind it into
//! any member. The fragments come from public reports; `tests/it/collect/wordings.rs` contains real messages
//! of each server.

mod filters;
mod fragments;
mod params;
mod requests;

use serde_json::Value;

use fragments::contains;
use params::{TOO_HIGH, UNSUPPORTED, named};
use requests::{CUT, NO_MODEL, NO_SUCH, TOO_LARGE, TOO_LARGE_FOR_RATE, TOO_LARGE_IN_ALL};

/// The strings of one error, in lower case and with uniform quotes.
#[derive(Debug)]
pub(super) struct Wording(Vec<String>);

impl Wording {
    /// Collects all strings of an error object.
    pub(super) fn of(error: &Value) -> Self {
        let mut texts = vec![];
        collect(error, 0, &mut texts);
        Self(texts)
    }

    fn has(&self, fragments: &[&str]) -> bool {
        self.0.iter().any(|text| contains(text, fragments))
    }

    /// The parameters that the error reports as unsupported. The first of them should be omitted first.
    pub(super) fn unsupported(&self) -> Vec<&'static str> {
        let refused = self.0.iter().filter(|text| contains(text, UNSUPPORTED));
        refused.map(|text| named(text)).find(|names| !names.is_empty()).unwrap_or_default()
    }

    /// The parameter whose value is too high according to the error.
    pub(super) fn too_high(&self) -> Option<&'static str> {
        const LIMITS: [&str; 5] =
            ["max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict", "logprobs"];
        let high = self.0.iter().filter(|text| contains(text, TOO_HIGH));
        high.flat_map(|text| named(text)).find(|name| LIMITS.contains(name))
    }

    /// Whether the request is too large for the model or for the account's limit.
    pub(super) fn is_too_large(&self, status: u16) -> bool {
        match status {
            413 => true,
            429 => self.has(TOO_LARGE_FOR_RATE),
            _ => self.has(TOO_LARGE),
        }
    }

    /// Whether a content filter refused the request.
    pub(super) fn is_filtered(&self) -> bool {
        self.0.iter().any(|text| filters::is_filtered(text))
            && !self.0.iter().any(|text| filters::is_about_account(text))
    }

    /// Whether the account or the key is refused, so that every request fails.
    pub(super) fn is_account_refused(&self) -> bool {
        self.0.iter().any(|text| filters::is_account_refused(text))
    }

    /// All parameters that the error mentions, in any context.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = vec![];
        for name in self.0.iter().flat_map(|text| named(text)) {
            if !names.iter().any(|known| known == name) {
                names.push(name.into());
            }
        }
        names
    }

    /// Whether the prompt and the answer together are too large, even if the error mentions the token limit.
    pub(super) fn is_too_large_in_all(&self) -> bool {
        self.has(TOO_LARGE_IN_ALL)
    }

    /// Whether the filter withheld the answer, not the prompt.
    pub(super) fn is_of_output(&self) -> bool {
        self.has(&["output blocked", "output data", "output text", "generated content was"])
    }

    /// Whether the error reports an unknown model.
    pub(super) fn is_no_model(&self) -> bool {
        self.has(NO_MODEL)
            || self.0.iter().any(|text| {
                text.split_once("model ").is_some_and(|(_, behind)| {
                    let near: String = behind.chars().take(160).collect();
                    contains(&near, NO_SUCH)
                })
            })
    }

    /// Whether the token limit truncated the answer.
    pub(super) fn is_cut(&self) -> bool {
        self.has(CUT)
    }
}

/// Collects the strings of a value. The limits on depth and number are larger than in any real error.
fn collect(value: &Value, depth: usize, texts: &mut Vec<String>) {
    const DEEPEST: usize = 6;
    const MOST: usize = 64;
    if depth > DEEPEST || texts.len() >= MOST {
        return;
    }
    match value {
        Value::String(text) => texts.push(fold(text)),
        Value::Array(list) => list.iter().for_each(|value| collect(value, depth + 1, texts)),
        Value::Object(members) => {
            // The message is the most specific part, so it comes first.
            let (first, rest): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| *name == "message");
            first.into_iter().chain(rest).for_each(|(_, value)| collect(value, depth + 1, texts));
        }
        _ => {}
    }
}

/// Converts a text to lower case, with every quote as `'` and at most 4000 characters.
fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        '"' | '`' | '\u{b4}' | '\u{2018}'..='\u{201f}' | '\u{2032}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => {
            '\''
        }
        '\u{a0}' | '\n' | '\r' | '\t' => ' ',
        c => c,
    };
    text.chars().filter(|c| *c != '\\').take(4000).map(plain).collect::<String>().to_lowercase()
}
