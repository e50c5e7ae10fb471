//! Defines the generation parameters, and which of them each wire format supports. A parameter that is `None`
//! or empty is not sent, so the provider's default applies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reasoning::ReasoningEffort;
use crate::error::{Error, Result};

/// The name of the token limit in OpenAI-compatible chat APIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensKey {
    /// `max_tokens`, the name on nearly all servers.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, the name for OpenAI's reasoning models.
    MaxCompletionTokens,
}

/// The generation parameters, which are the same for all requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationParams {
    /// Token limit of the answer.
    pub max_tokens: u32,
    /// The name of the token limit, for wire formats that accept `max_tokens` and `max_completion_tokens`.
    pub max_tokens_key: MaxTokensKey,
    /// Sampling temperature; 0 means greedy decoding.
    pub temperature: Option<f64>,
    /// Nucleus sampling threshold (top-p).
    pub top_p: Option<f64>,
    /// Stop sequences.
    pub stop: Vec<String>,
    /// Sampling seed, if the provider accepts one.
    pub seed: Option<u64>,
    /// Number of most likely tokens per position whose log-probabilities are requested.
    pub logprobs: Option<u8>,
    /// Whether to return the prompt with the log-probabilities of its tokens.
    pub echo: bool,
    /// How much the model reasons before it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Members to add to the body of every request.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub body_json: Map<String, Value>,
}

/// The default token limit of an answer from a chat API, including reasoning.
///
/// The limit is an upper bound: a model that answers with one word stops after that word. A reasoning model
/// uses tens to hundreds of tokens for a short question, and often more than a thousand if it is unsure. If
/// the limit only fitted the answer, you would pay for reasoning that is cut off before the answer. A larger
/// limit would exceed the context window of small local servers, reserve more of the budget for each request,
/// and use up rate limits that count requested tokens.
pub const CHAT_MAX_TOKENS: u32 = 2048;

impl Default for GenerationParams {
    fn default() -> Self {
        Self {
            max_tokens: 32,
            max_tokens_key: MaxTokensKey::MaxTokens,
            temperature: Some(0.0),
            top_p: None,
            stop: vec![],
            seed: None,
            logprobs: None,
            echo: false,
            reasoning_effort: None,
            body_json: Map::new(),
        }
    }
}

/// The capabilities of a wire format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capabilities {
    /// Whether the wire format accepts chat messages. If not, it accepts only plain text.
    pub chats: bool,
    /// Largest number of stop sequences.
    pub stops: usize,
    /// Whether a stop sequence may consist of white space ("\n").
    pub blank_stops: bool,
    /// Highest temperature.
    pub max_temperature: f64,
    /// Largest seed; `None` if seeds are not supported.
    pub max_seed: Option<u64>,
    /// Largest number of most likely tokens per position; `None` if there are no log-probabilities.
    pub top_logprobs: Option<u8>,
    /// Whether the wire format can return the prompt with log-probabilities.
    pub echo: bool,
    /// The supported levels of reasoning effort.
    pub efforts: &'static [ReasoningEffort],
}

impl GenerationParams {
    /// Checks that a wire format supports all parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`] for the first parameter that the wire format does not support.
    pub fn check(&self, provider: &str, can: &Capabilities) -> Result<()> {
        let fault = |name: &'static str, reason: String| Err(Error::Parameter { name, reason });
        if self.max_tokens == 0 {
            return fault("--max-tokens", "must be at least 1".into());
        }
        if let Some(temperature) = self.temperature.filter(|t| !(0.0..=can.max_temperature).contains(t)) {
            let reason =
                format!("must be from 0 to {} for {provider}, but is {temperature}", can.max_temperature);
            return fault("--temperature", reason);
        }
        if let Some(top_p) = self.top_p.filter(|p| !(*p > 0.0 && *p <= 1.0)) {
            return fault("--top-p", format!("must be above 0 and at most 1, but is {top_p}"));
        }
        if self.stop.iter().any(String::is_empty) {
            return fault("--stop", "must not be empty".into());
        }
        if self.stop.len() > can.stops {
            let reason = format!(
                "can be given at most {} times for {provider}, but is given {} times",
                can.stops,
                self.stop.len()
            );
            return fault("--stop", reason);
        }
        if let Some(blank) = self.stop.iter().find(|stop| !can.blank_stops && stop.trim().is_empty()) {
            let reason = format!("must contain more than white space for {provider}, but is {blank:?}");
            return fault("--stop", reason);
        }
        match (self.seed, can.max_seed) {
            (Some(_), None) => {
                return fault("--sampling-seed", format!("is not supported by {provider}"));
            }
            (Some(seed), Some(most)) if seed > most => {
                return fault(
                    "--sampling-seed",
                    format!("must be at most {most} for {provider}, but is {seed}"),
                );
            }
            _ => {}
        }
        match (self.logprobs, can.top_logprobs) {
            (Some(_), None) => return fault("--logprobs", format!("are not available from {provider}")),
            (Some(n), Some(most)) if n > most => {
                return fault("--logprobs", format!("must be at most {most} for {provider}, but is {n}"));
            }
            _ => {}
        }
        if let Some(effort) = self.reasoning_effort.filter(|effort| !can.efforts.contains(effort)) {
            let known: Vec<_> = can.efforts.iter().map(|effort| effort.name()).collect();
            let reason = match known[..] {
                [] => format!(
                    "is not supported by {provider}; if the server has its own parameter for the reasoning \
                     effort, set it with --body-json"
                ),
                _ => format!("must be one of {} for {provider}, but is {}", known.join(", "), effort.name()),
            };
            return fault("--reasoning-effort", reason);
        }
        if self.echo && !can.echo {
            let reason = format!(
                "needs the log-probabilities of the prompt, which {provider} does not return; use --provider \
                 openai-completions"
            );
            return fault("--grader", reason);
        }
        Ok(())
    }

    /// The stop sequences that the wire format accepts. Grading applies all stop sequences to the answer, so
    /// a stop sequence that is not sent changes no grade. The model then generates more tokens, which are
    /// billed.
    pub fn sendable_stops(stops: &[String], can: &Capabilities) -> Vec<String> {
        let legal = |stop: &&String| !stop.is_empty() && (can.blank_stops || !stop.trim().is_empty());
        stops.iter().filter(legal).take(can.stops).cloned().collect()
    }

    /// Returns the parameters without `param`, which a server refused. `param` is the name in the wire
    /// format. The token limit is not removed, but sent under its other name. `None` if nothing changes.
    pub fn without(&self, param: &str) -> Option<Self> {
        let mut changed = self.clone();
        match param {
            "max_tokens" => changed.max_tokens_key = MaxTokensKey::MaxCompletionTokens,
            "max_completion_tokens" => changed.max_tokens_key = MaxTokensKey::MaxTokens,
            "temperature" => changed.temperature = None,
            "top_p" | "topP" => changed.top_p = None,
            "stop" | "stop_sequences" | "stopSequences" => changed.stop = vec![],
            "seed" | "random_seed" => changed.seed = None,
            "logprobs" | "top_logprobs" | "responseLogprobs" if !self.echo => changed.logprobs = None,
            "reasoning_effort" | "reasoning" | "thinkingConfig" | "thinking_config" | "output_config"
            | "effort" | "think" => changed.reasoning_effort = None,
            _ => {}
        }
        (changed != *self).then_some(changed)
    }

    /// Returns the parameters with half the value of `param`, because a server refused the value as too high.
    /// `param` is the name in the wire format. `None` if the value cannot be lowered.
    pub fn lowered(&self, param: &str) -> Option<Self> {
        /// The smallest token limit that every wire format accepts.
        const LEAST_TOKENS: u32 = 16;
        let mut changed = self.clone();
        match param {
            "max_tokens" | "max_completion_tokens" | "max_output_tokens" | "num_predict" => {
                changed.max_tokens = (self.max_tokens / 2).max(LEAST_TOKENS).min(self.max_tokens);
            }
            "logprobs" => changed.logprobs = self.logprobs.map(|n| (n / 2).max(1).min(n)),
            _ => {}
        }
        (changed != *self).then_some(changed)
    }
}
