//! How an answer is to be given, and what each wire format has a place for. What is `None` or empty is not
//! sent at all: the provider's own default then holds.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The name a chat API of OpenAI's form has for the longest answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensKey {
    /// `max_tokens`, as nearly all servers have it.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`, as reasoning models of OpenAI demand it.
    MaxCompletionTokens,
}

/// GenerationParams of one request, the same for all requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerationParams {
    /// Longest answer, tokens.
    pub max_tokens: u32,
    /// Under which name it is sent, where there are two.
    pub max_tokens_key: MaxTokensKey,
    /// 0 asks for the likeliest token at each step.
    pub temperature: Option<f64>,
    /// Share of the probability that is sampled from.
    pub top_p: Option<f64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Seed of the sampling, where the provider takes one.
    pub seed: Option<u64>,
    /// Log-probabilities wanted: the number of likeliest tokens at each position.
    pub logprobs: Option<u8>,
    /// Whether the prompt is to be given back with the log-probabilities of its tokens.
    pub echo: bool,
}

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
        }
    }
}

/// What a wire format has a place for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Capabilities {
    /// Whether it takes chats; if not, only texts.
    pub chats: bool,
    /// Most texts that end an answer.
    pub stops: usize,
    /// Whether such a text may be blank ("\n").
    pub blank_stops: bool,
    /// Highest temperature.
    pub max_temperature: f64,
    /// Largest seed; `None` if there is none.
    pub max_seed: Option<u64>,
    /// Most likely tokens that can be had at each position; `None` if there are no log-probabilities.
    pub top_logprobs: Option<u8>,
    /// Whether a prompt can be given back with log-probabilities.
    pub echo: bool,
}

impl GenerationParams {
    /// Whether a wire format has a place for all of it.
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
            let reason = format!("must hold more than white space for {provider}, and is {blank:?}");
            return fault("--stop", reason);
        }
        match (self.seed, can.max_seed) {
            (Some(_), None) => {
                return fault("--sampling-seed", format!("has no place in requests of {provider}"));
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
            (Some(_), None) => return fault("--logprobs", format!("cannot be had of {provider}")),
            (Some(n), Some(most)) if n > most => {
                return fault("--logprobs", format!("must be at most {most} for {provider}, and is {n}"));
            }
            _ => {}
        }
        if self.echo && !can.echo {
            let reason = format!(
                "needs the log-probabilities of a prompt, which {provider} does not give; take --provider \
                 openai-completions"
            );
            return fault("--grader", reason);
        }
        Ok(())
    }

    /// The texts that end an answer which the wire format takes. An answer is cut at all of them when it is
    /// graded, so that nothing but the tokens after the end is lost where one cannot be sent.
    pub fn sendable_stops(stops: &[String], can: &Capabilities) -> Vec<String> {
        let legal = |stop: &&String| !stop.is_empty() && (can.blank_stops || !stop.trim().is_empty());
        stops.iter().filter(legal).take(can.stops).cloned().collect()
    }

    /// The settings without a parameter that a server refused, by its name on the wire; `None` if they can do
    /// nothing about it.
    pub fn without(&self, param: &str) -> Option<Self> {
        let mut changed = self.clone();
        match param {
            "max_tokens" => changed.max_tokens_key = MaxTokensKey::MaxCompletionTokens,
            "max_completion_tokens" => changed.max_tokens_key = MaxTokensKey::MaxTokens,
            "temperature" => changed.temperature = None,
            "top_p" | "topP" => changed.top_p = None,
            "stop" | "stop_sequences" | "stopSequences" => changed.stop = vec![],
            "seed" => changed.seed = None,
            "logprobs" | "top_logprobs" | "responseLogprobs" if !self.echo => changed.logprobs = None,
            _ => {}
        }
        (changed != *self).then_some(changed)
    }
}
