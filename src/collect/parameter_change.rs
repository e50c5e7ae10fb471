//! Derives changes of the generation parameters from the error of a failed probe.

use super::configuration::Configuration;
use crate::provider::{Failure, FailureClass, GenerationParams};

/// Parameters that a request may omit, in the order of omission: the parameter that affects answers least
/// comes first.
pub(super) const OPTIONAL: [&str; 6] =
    ["top_p", "seed", "stop", "temperature", "logprobs", "reasoning_effort"];
/// The names that APIs use for the token limit.
const TOKEN_LIMITS: [&str; 4] = ["max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict"];

/// A change of the parameters that may prevent a failure.
#[derive(Debug, PartialEq)]
pub(super) enum ParameterChange {
    /// Omit the first of these parameters that the request contains.
    Omit(Vec<String>),
    /// Lower the value of this parameter.
    Lower(String),
}

impl ParameterChange {
    /// The changes that may prevent the failure, most likely first. Empty if the failure names no parameter
    /// that was sent.
    pub(super) fn of(failure: &Failure, params: &GenerationParams) -> Vec<Self> {
        let is_known = |name: &str| OPTIONAL.contains(&name) || TOKEN_LIMITS.contains(&name);
        match &failure.class {
            FailureClass::Unsupported { param, also } if is_known(param) || !also.is_empty() => {
                vec![Self::Omit([std::slice::from_ref(param), also].concat())]
            }
            FailureClass::Unsupported { .. } | FailureClass::Invalid => Self::of_names(failure, params),
            FailureClass::TooHigh { param } => vec![Self::Lower(param.clone())],
            // The prompt of the probe is short, so only the token limit of the answer can be too large.
            FailureClass::TooLarge => vec![Self::Lower("max_tokens".into())],
            _ => vec![],
        }
    }

    /// Treats an error that names a sent parameter as a refusal of that parameter, regardless of the wording.
    /// The value of a limit is lowered; any other parameter is omitted.
    fn of_names(failure: &Failure, params: &GenerationParams) -> Vec<Self> {
        let names = &failure.names;
        let limits: Vec<&String> =
            names.iter().filter(|name| TOKEN_LIMITS.contains(&name.as_str())).collect();
        let others: Vec<String> = names
            .iter()
            .filter(|name| OPTIONAL.contains(&name.as_str()) && is_sent(name, params))
            .cloned()
            .collect();
        let mut changes = vec![];
        // An error that names two limits, such as "Use max_completion_tokens instead of max_tokens", asks for
        // the limit under its other name.
        if limits.len() > 1 {
            changes.push(Self::Omit(limits.iter().map(|name| (*name).clone()).collect()));
        }
        // If the message contains a number, the number is the largest supported number of log-probabilities.
        // If it contains no number, the server does not support log-probabilities.
        let text = failure.message.split_once(": ").map_or("", |(_, text)| text);
        if others.first().is_some_and(|name| name == "logprobs")
            && text.contains(|c: char| c.is_ascii_digit())
        {
            changes.push(Self::Lower("logprobs".into()));
        }
        if !others.is_empty() {
            changes.push(Self::Omit(others));
        }
        changes.extend(limits.first().map(|name| Self::Lower((*name).clone())));
        changes
    }

    /// Applies the change to the configuration. Returns `false` if nothing changes.
    pub(super) fn apply(&self, configuration: &mut Configuration, params: &GenerationParams) -> bool {
        match self {
            Self::Omit(names) => {
                let is_new = |name: &&String| !configuration.without.contains(name) && is_sent(name, params);
                let Some(name) = names.iter().find(is_new).cloned() else { return false };
                configuration.without.push(name);
            }
            Self::Lower(name) => {
                if params.lowered(name).is_none() {
                    return false;
                }
                configuration.lowered.push(name.clone());
            }
        }
        true
    }

    /// Describes the problem in a sentence.
    pub(super) fn problem(&self) -> String {
        match self {
            Self::Omit(names) => {
                let name = names.first().map_or("a parameter", String::as_str);
                format!("the model does not support `{name}`")
            }
            Self::Lower(name) => format!("the value of `{name}` is too high for the model"),
        }
    }
}

/// Whether omitting a parameter changes the request.
fn is_sent(name: &str, params: &GenerationParams) -> bool {
    params.without(name).is_some()
}

/// The parameters to omit in each trial after a failure that names no parameter. Each trial omits one of the
/// optional parameters that were sent; the last trial omits all of them.
pub(super) fn trials(params: &GenerationParams) -> Vec<Vec<&'static str>> {
    let sent: Vec<&'static str> = OPTIONAL.into_iter().filter(|name| is_sent(name, params)).collect();
    let mut trials: Vec<Vec<&'static str>> = sent.iter().map(|name| vec![*name]).collect();
    if sent.len() > 1 {
        trials.push(sent);
    }
    trials
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{self, Headers, Outcome};

    fn changes(status: u16, body: &str, params: &GenerationParams) -> Vec<ParameterChange> {
        let provider = provider::find("openai-chat").expect("a provider");
        match provider::read(provider, status, &Headers::default(), body.as_bytes()).outcome {
            Outcome::Failed(failure) => ParameterChange::of(&failure, params),
            outcome => panic!("{outcome:?}"),
        }
    }

    #[test]
    fn an_error_that_names_a_parameter_refuses_it_whatever_its_words_are() {
        let params = GenerationParams {
            top_p: Some(0.9),
            logprobs: Some(20),
            seed: Some(1),
            stop: vec!["END".into()],
            ..GenerationParams::default()
        };
        let error = |message: &str| serde_json::json!({"error": {"message": message}}).to_string();
        let first = |status, body: &str| {
            let mut changes = changes(status, body, &params);
            assert!(!changes.is_empty(), "{body}");
            match changes.remove(0) {
                ParameterChange::Omit(names) => format!("omit {}", names.join(" ")),
                ParameterChange::Lower(name) => format!("lower {name}"),
            }
        };
        for (body, wanted) in [
            (error("invalid temperature: only 0.6 is allowed for this model"), "omit temperature"),
            (error("Input validation error: `temperature` must be strictly positive"), "omit temperature"),
            (error("This model only supports `temperature` = 1."), "omit temperature"),
            (error("temperature参数非法，取值范围(0,1)"), "omit temperature"),
            (error("该模型不支持 temperature 参数"), "omit temperature"),
            (error("top_p and temperature are mutually exclusive"), "omit top_p temperature"),
            (error("Pass either `temperature` or `top_p`, not the two together"), "omit top_p temperature"),
            (error("Too many stop sequences: at most 1 is supported"), "omit stop"),
            (error("seed must be a 32-bit integer"), "omit seed"),
            (error("This endpoint cannot return logprobs"), "omit logprobs"),
            (error("top_logprobs should be in [0, 5]"), "lower logprobs"),
            (error("max_tokens must be in the range 1..8192"), "lower max_tokens"),
            (
                error("Please use max_completion_tokens instead of max_tokens."),
                "omit max_completion_tokens max_tokens",
            ),
            (
                r#"{"error":{"message":"Bad","param":"temperature","code":"invalid_value"}}"#.into(),
                "omit temperature",
            ),
            (
                r#"{"detail":[{"type":"greater_than","loc":["body","temperature"],
                   "msg":"Input should be greater than 0","input":0}]}"#
                    .into(),
                "omit temperature",
            ),
            (
                r#"{"detail":[{"type":"less_than_equal","loc":["body","max_tokens"],
                   "msg":"Input should be less than or equal to 8192"}]}"#
                    .into(),
                "lower max_tokens",
            ),
        ] {
            assert_eq!(first(if body.contains("loc") { 422 } else { 400 }, &body), wanted, "{body}");
        }
        // The error names no parameter that was sent.
        let plain = GenerationParams::default();
        assert_eq!(changes(400, &error("Invalid request"), &plain), []);
        assert_eq!(changes(400, &error("top_p: bad value"), &plain), []);
        assert_eq!(trials(&plain), [["temperature"]]);
        assert_eq!(trials(&params).len(), 6);
    }
}
