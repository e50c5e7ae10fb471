//! Parameters of generation, and which of them a wire format can express. A parameter that is `None` or empty
//! is not sent: the provider's default applies.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reasoning::ReasoningEffort;
use crate::error::{Error, Result};

/// The name of the token limit in chat APIs of OpenAI's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensKey {
    /// `max_tokens`, as nearly all servers name it.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, as OpenAI's reasoning models require.
    MaxCompletionTokens,
}

/// Parameters of one request, the same for all requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationParams {
    /// Token limit of the answer.
    pub max_tokens: u32,
    /// The name under which the limit is sent, where there are two.
    pub max_tokens_key: MaxTokensKey,
    /// Sampling temperature; 0 asks for the most likely token at each step.
    pub temperature: Option<f64>,
    /// Nucleus sampling threshold (top-p).
    pub top_p: Option<f64>,
    /// Stop sequences.
    pub stop: Vec<String>,
    /// Sampling seed, where the provider accepts one.
    pub seed: Option<u64>,
    /// Number of most likely tokens at each position whose log-probabilities are requested.
    pub logprobs: Option<u8>,
    /// Whether the prompt is returned with the log-probabilities of its tokens.
    pub echo: bool,
    /// How much the model reasons before it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Members that are added to the body of every request.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub body_json: Map<String, Value>,
}

/// The default token limit of an answer of a chat API, reasoning included.
///
/// It only bounds: a model that answers in a word stops after the word. A model that reasons before it
/// answers uses tens to hundreds of tokens for a short question, and often more than a thousand if it is
/// unsure; with a limit made for the answer alone, nothing but reasoning would be paid for. A larger limit
/// would exceed the window of small local servers, reserve more of the budget for each request, and count
/// against rate limits of providers that count requested tokens.
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

/// What a wire format can express.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capabilities {
    /// Whether it accepts chats; if not, only texts.
    pub chats: bool,
    /// Most stop sequences.
    pub stops: usize,
    /// Whether a stop sequence may be white space ("\n").
    pub blank_stops: bool,
    /// Highest temperature.
    pub max_temperature: f64,
    /// Largest seed; `None` if there is none.
    pub max_seed: Option<u64>,
    /// Most likely tokens available at each position; `None` if there are no log-probabilities.
    pub top_logprobs: Option<u8>,
    /// Whether a prompt can be returned with log-probabilities.
    pub echo: bool,
    /// The efforts of reasoning that can be asked for.
    pub efforts: &'static [ReasoningEffort],
}

impl GenerationParams {
    /// Checks that a wire format can express all parameters.
    ///
    /// # Errors
    /// [`Error::Parameter`]
    pub fn check(&self, provider: &str, can: &Capabilities) -> Result<()> {
        let fault = |name: &'static str, reason: String| Err(Error::Parameter { name, reason });
        if self.max_tokens == 0 {
            return fault("--max-tokens", "must be at least 1".into());
        }
        if let Some(temperature) = self.temperature.filter(|t| !(0.0..=can.max_temperature).contains(t)) {
            let reason =
                format!("must be from 0 to {} for {provider}, and is {temperature}", can.max_temperature);
            return fault("--temperature", reason);
        }
        if let Some(top_p) = self.top_p.filter(|p| !(*p > 0.0 && *p <= 1.0)) {
            return fault("--top-p", format!("must be above 0 and at most 1, and is {top_p}"));
        }
        if self.stop.iter().any(String::is_empty) {
            return fault("--stop", "must not be empty".into());
        }
        if self.stop.len() > can.stops {
            let reason =
                format!("can be given {} times for {provider}, and is given {}", can.stops, self.stop.len());
            return fault("--stop", reason);
        }
        if let Some(blank) = self.stop.iter().find(|stop| !can.blank_stops && stop.trim().is_empty()) {
            let reason = format!("must contain more than white space for {provider}, and is {blank:?}");
            return fault("--stop", reason);
        }
        match (self.seed, can.max_seed) {
            (Some(_), None) => {
                return fault("--sampling-seed", format!("is not supported by {provider}"));
            }
            (Some(seed), Some(most)) if seed > most => {
                return fault(
                    "--sampling-seed",
                    format!("must be at most {most} for {provider}, and is {seed}"),
                );
            }
            _ => {}
        }
        match (self.logprobs, can.top_logprobs) {
            (Some(_), None) => return fault("--logprobs", format!("are not available from {provider}")),
            (Some(n), Some(most)) if n > most => {
                return fault("--logprobs", format!("must be at most {most} for {provider}, and is {n}"));
            }
            _ => {}
        }
        if let Some(effort) = self.reasoning_effort.filter(|effort| !can.efforts.contains(effort)) {
            let known: Vec<_> = can.efforts.iter().map(|effort| effort.name()).collect();
            let reason = match known[..] {
                [] => format!(
                    "cannot be asked for with {provider}; use --body-json if the server has its own way"
                ),
                _ => format!("must be one of {} for {provider}, and is {}", known.join(", "), effort.name()),
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

    /// The stop sequences that the wire format accepts. When an answer is graded, all of them apply, so
    /// that a sequence that cannot be sent costs only the tokens generated after it.
    pub fn sendable_stops(stops: &[String], can: &Capabilities) -> Vec<String> {
        let legal = |stop: &&String| !stop.is_empty() && (can.blank_stops || !stop.trim().is_empty());
        stops.iter().filter(legal).take(can.stops).cloned().collect()
    }

    /// The parameters without one that a server refused, by its name on the wire; `None` if leaving it out
    /// changes nothing.
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

    /// The parameters with half the value of one that a server called too high; `None` if it cannot be
    /// lowered.
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
