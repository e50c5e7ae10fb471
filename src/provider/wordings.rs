//! How servers word their errors, where no code says what they mean: a table of fragments for each meaning.
//!
//! Fragments are compared with a text in lower case whose quotes are all `'`. Every string of an error object
//! is compared, because gateways put the error of the provider behind them into a detail or into a text.
//! The wordings come from public reports; `tests/it/collect/wordings.rs` holds real ones of each server.

use serde_json::Value;

/// Names of parameters in lower case, with the name under which the parameter is left out.
static PARAMS: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_p", "top_p"),
    ("topp", "top_p"),
    ("top-p", "top_p"),
    ("stop", "stop"),
    ("stop_sequences", "stop"),
    ("stopsequences", "stop"),
    ("seed", "seed"),
    ("random_seed", "seed"),
    ("logprobs", "logprobs"),
    ("top_logprobs", "logprobs"),
    ("responselogprobs", "logprobs"),
    ("log probabilities", "logprobs"),
    ("log probs", "logprobs"),
    ("max_tokens", "max_tokens"),
    ("max tokens", "max_tokens"),
    ("max_completion_tokens", "max_completion_tokens"),
    ("max_output_tokens", "max_output_tokens"),
    ("maxoutputtokens", "max_output_tokens"),
    ("num_predict", "num_predict"),
    ("echo", "echo"),
    ("reasoning_effort", "reasoning_effort"),
    ("reasoning.effort", "reasoning_effort"),
    ("reasoning", "reasoning_effort"),
    ("thinking", "reasoning_effort"),
    ("thinking_level", "reasoning_effort"),
    ("thinkinglevel", "reasoning_effort"),
    ("thinking_config", "reasoning_effort"),
    ("thinkingconfig", "reasoning_effort"),
    ("thinkingbudget", "reasoning_effort"),
    ("output_config", "reasoning_effort"),
    ("effort", "reasoning_effort"),
    ("stream", "stream"),
];

/// Fragments that call a parameter unsupported.
static UNSUPPORTED: &[&str] = &[
    "not supported",
    "unsupported",
    "not support",
    "n't support",
    "deprecated",
    "not permitted",
    "not allowed",
    "extra inputs",
    "extra fields",
    "extra_forbidden",
    "unrecognized",
    "unrecognised",
    "unknown name",
    "unknown parameter",
    "unknown field",
    "unknown argument",
    "unexpected keyword",
    "unexpected argument",
    "unexpected field",
    "unexpected parameter",
    "not enabled",
    "not available",
    "n't available",
    "not used by the model",
    "both be specified",
    "specify both",
    "set both",
    "use only one",
    "only one of",
    "please remove",
    "only the default",
    "only 1 is allowed",
    "must be 1",
    "only be set to",
    "no longer",
    "not accept",
    "n't accept",
    "cannot be used",
    "can't be used",
    "not compatible",
    "incompatible",
    "not implemented",
    "not yet",
    "not a valid parameter",
    "invalid parameter",
    "invalid field",
    "cannot be set",
    "must not be set",
    "not be specified",
    "is disabled",
    "are disabled",
    "non-whitespace",
];

/// Fragments that call the value of a parameter too high.
static TOO_HIGH: &[&str] = &[
    "too large",
    "too high",
    "less than or equal",
    "greater than max",
    "greater than the max",
    "is the maximum",
    "the maximum value",
    "maximum allowed",
    "valid range",
    "range of",
    "supported range",
    "exceeds",
    "cannot exceed",
    "at most",
    "above the max",
    "above max",
    "must be between",
    "must be <=",
    "out of range",
    "> ",
];

/// Fragments that call the request itself too large.
static TOO_LARGE: &[&str] = &[
    "request too large",
    "request is too large",
    "request_too_large",
    "maximum context length",
    "context_length_exceeded",
    "context length",
    "context window",
    "context size",
    "exceed_context_size",
    "too long",
    "too many tokens",
    "token count",
    "maximum number of tokens",
    "token limit",
    "tokens must be reduced",
    "reduce your message size",
    "reduce the length",
    "max_new_tokens",
    "payload too large",
    "entity too large",
    "length limit exceeded",
    "longer than the",
    "requested tokens",
    "maximum input length",
    "maximum prompt length",
];

/// Of these, those that a rate limit (429) uses for a request that no wait makes possible.
static TOO_LARGE_FOR_RATE: &[&str] =
    &["request too large", "request is too large", "tokens must be reduced", "reduce your message size"];

/// Fragments of content filters.
static FILTERED: &[&str] = &[
    "content exists risk",
    "inappropriate content",
    "data_inspection_failed",
    "敏感内容",
    "不安全",
    "内容安全",
    "for safety reasons",
    "was flagged",
    "been flagged",
    "flagged for",
    "flagged as",
    "flagged by",
    "content management policy",
    "usage guidelines",
    "usage policies",
    "usage policy",
    "content policy",
    "content_policy",
    "content policies",
    "safety_check",
    "safety check",
    "safety system",
    "safety filter",
    "safety policy",
    "safety guidelines",
    "blocked due to safety",
    "content filter",
    "content_filter",
    "content-filter",
    "harmful content",
    "harmful or",
    "prohibited content",
    "prohibited_content",
    "considered high risk",
    "high risk",
    "sensitive content",
    "sensitive information",
    "sensitive words",
    "content security",
    "content moderation",
    "moderation",
    "unsafe content",
    "responsible ai",
    "responsible_ai",
    "guardrail",
    "high-risk cyber",
];

/// Fragments about an account, which no filter of content sends.
static ACCOUNT: &[&str] =
    &["deactivated", "suspended", "terminated", "disabled", "banned", "access to the api"];

/// Fragments that call the model wrong.
static NO_MODEL: &[&str] = &[
    "model not found",
    "model_not_found",
    "model not exist",
    "model does not exist",
    "model doesn't exist",
    "model is not available",
    "model_not_available",
    "not a valid model",
    "not a valid large language model",
    "invalid model",
    "unknown model",
    "no such model",
    "unsupported model",
    "no endpoints found for",
    "unable to access model",
    "model is not supported",
    "model was not found",
    "no model named",
    "could not find model",
    "try pulling it first",
    "deployment for this resource does not exist",
];

/// Fragments after the word `model` and a name, that call the model wrong.
static NO_SUCH: &[&str] =
    &["does not exist", "doesn't exist", "not found", "is not loaded", "is not available", "is not a valid"];

/// Fragments of an answer that stopped inside its reasoning, reported as an error.
static CUT: &[&str] = &["could not finish the message because max_tokens", "model output limit was reached"];

/// The strings of one error, folded.
#[derive(Debug)]
pub(super) struct Wording(Vec<String>);

impl Wording {
    /// All strings of an error object.
    pub(super) fn of(error: &Value) -> Self {
        let mut texts = vec![];
        collect(error, 0, &mut texts);
        Self(texts)
    }

    fn has(&self, fragments: &[&str]) -> bool {
        self.0.iter().any(|text| contains(text, fragments))
    }

    /// The parameters that the error calls unsupported, the one to leave out first in front.
    pub(super) fn unsupported(&self) -> Vec<&'static str> {
        let refused = self.0.iter().filter(|text| contains(text, UNSUPPORTED));
        refused.map(|text| named(text)).find(|names| !names.is_empty()).unwrap_or_default()
    }

    /// The parameter whose value the error calls too high.
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
        self.has(FILTERED) && !self.has(ACCOUNT)
    }

    /// Whether the filter acted on the answer.
    pub(super) fn is_of_output(&self) -> bool {
        self.has(&["output blocked", "output data", "output text", "generated content was"])
    }

    /// Whether the model's name is wrong.
    pub(super) fn is_no_model(&self) -> bool {
        self.has(NO_MODEL)
            || self.0.iter().any(|text| {
                text.split_once("model ").is_some_and(|(_, behind)| {
                    let near: String = behind.chars().take(160).collect();
                    contains(&near, NO_SUCH)
                })
            })
    }

    /// Whether the token limit cut the answer.
    pub(super) fn is_cut(&self) -> bool {
        self.has(CUT)
    }
}

fn contains(text: &str, fragments: &[&str]) -> bool {
    fragments.iter().any(|fragment| text.contains(fragment))
}

/// Collects the strings of a value, up to a depth and a number that no error needs.
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
            // The message says most, so that it is compared first.
            let (first, rest): (Vec<_>, Vec<_>) = members.iter().partition(|(name, _)| *name == "message");
            first.into_iter().chain(rest).for_each(|(_, value)| collect(value, depth + 1, texts));
        }
        _ => {}
    }
}

/// Lower case, with every quote as `'`; at most 4000 characters.
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

/// The parameters that a text names, in its order; of two that exclude each other, the one that changes least
/// is first.
fn named(text: &str) -> Vec<&'static str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |at: usize, name: &str| {
        !text[..at].chars().next_back().is_some_and(is_part)
            && !text[at + name.len()..].chars().next().is_some_and(is_part)
    };
    let place = |name: &str| text.match_indices(name).map(|(at, _)| at).find(|at| is_whole(*at, name));
    let mut found: Vec<(usize, &'static str)> =
        PARAMS.iter().filter_map(|(name, param)| Some((place(name)?, *param))).collect();
    found.sort_by_key(|(at, _)| *at);
    let mut names: Vec<&'static str> = vec![];
    for (_, name) in found {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // At temperature 0 the most likely token is taken whatever top_p is.
    let exclude = contains(text, &["both", "only one"]) && names.contains(&"temperature");
    if let Some(at) = names.iter().position(|name| exclude && *name == "top_p") {
        let top_p = names.remove(at);
        names.insert(0, top_p);
    }
    names
}
