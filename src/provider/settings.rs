//! How an answer is to be given. What is `None` or empty is not sent at all: the provider's own default then holds.

use serde::{Deserialize, Serialize};

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

/// Settings of one request, the same for all requests of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
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

impl Default for Settings {
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
