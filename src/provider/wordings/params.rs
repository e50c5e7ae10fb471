//! Text fragments of messages about parameters: their names, unsupported parameters, and values that are too
//! high.

use super::fragments::contains;

/// Names of parameters as they appear in messages, in lower case, each with the name that surmise uses to
/// omit the parameter.
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

/// Fragments of messages about an unsupported parameter.
pub(super) static UNSUPPORTED: &[&str] = &[
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
    "mutually exclusive",
    "不支持",
];

/// Fragments of messages about a parameter value that is too high.
pub(super) static TOO_HIGH: &[&str] = &[
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

/// Fragments of messages about two parameters that are mutually exclusive.
static EXCLUSIVE: &[&str] = &["both", "only one", "mutually exclusive", "either", "together"];

/// The parameters that a text names, in order of appearance. If two parameters are mutually exclusive, the
/// parameter with the smaller effect comes first.
pub(super) fn named(text: &str) -> Vec<&'static str> {
    // In Chinese text, no spaces surround a name.
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
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
    // At temperature 0 decoding is greedy, so top_p has no effect.
    let exclude = contains(text, EXCLUSIVE) && names.contains(&"temperature");
    if let Some(at) = names.iter().position(|name| exclude && *name == "top_p") {
        let top_p = names.remove(at);
        names.insert(0, top_p);
    }
    names
}
