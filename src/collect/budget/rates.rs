//! Computes the cost of tokens from the prices of one model at one service tier.

use serde::{Deserialize, Serialize};

use crate::provider::Usage;

/// Number of picodollars in a dollar.
pub(super) const PICO: f64 = 1e12;

/// Prices of a million tokens in USD. If an optional price is missing, the usual price of input or output
/// tokens is used instead.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Price of a million prompt tokens.
    pub input_usd_per_million_tokens: f64,
    /// Price of a million answer tokens. Applies to reasoning tokens, too, unless they have their own price.
    pub output_usd_per_million_tokens: f64,
    /// Price of a million prompt tokens that are read from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_usd_per_million_tokens: Option<f64>,
    /// Price of a million prompt tokens that are written to a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_usd_per_million_tokens: Option<f64>,
    /// Price of a million tokens of reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_usd_per_million_tokens: Option<f64>,
    /// Price of a million audio tokens of a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_input_usd_per_million_tokens: Option<f64>,
    /// Price of a million audio tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output_usd_per_million_tokens: Option<f64>,
}

/// The cost of tokens in picodollars. One USD per million tokens equals a million picodollars per token.
fn pico(tokens: u64, usd_per_million: f64) -> u64 {
    tokens.saturating_mul((usd_per_million * PICO / 1e6).round() as u64)
}

impl Rates {
    /// All prices with their names; `None` for prices that are not given.
    pub(super) fn named(&self) -> [(&'static str, Option<f64>); 7] {
        [
            ("input_usd_per_million_tokens", Some(self.input_usd_per_million_tokens)),
            ("output_usd_per_million_tokens", Some(self.output_usd_per_million_tokens)),
            ("cached_input_usd_per_million_tokens", self.cached_input_usd_per_million_tokens),
            ("cache_write_usd_per_million_tokens", self.cache_write_usd_per_million_tokens),
            ("reasoning_usd_per_million_tokens", self.reasoning_usd_per_million_tokens),
            ("audio_input_usd_per_million_tokens", self.audio_input_usd_per_million_tokens),
            ("audio_output_usd_per_million_tokens", self.audio_output_usd_per_million_tokens),
        ]
    }

    /// The highest cost of the text tokens of a prompt and of an answer, in picodollars. Prompt tokens may be
    /// billed at the price of a cache write, and answer tokens at the price of reasoning.
    pub(super) fn most_pico(&self, prompt_tokens: u64, completion_tokens: u64) -> (u64, u64) {
        let highest = |usual: f64, other: Option<f64>| usual.max(other.unwrap_or(0.0));
        let input = highest(self.input_usd_per_million_tokens, self.cache_write_usd_per_million_tokens);
        let output = highest(self.output_usd_per_million_tokens, self.reasoning_usd_per_million_tokens);
        (pico(prompt_tokens, input), pico(completion_tokens, output))
    }

    /// The cost of the tokens of a prompt, in picodollars; `None` if the server did not count them.
    pub(super) fn prompt_pico(&self, usage: &Usage) -> Option<u64> {
        let usual = self.input_usd_per_million_tokens;
        let parts = [
            (usage.cached_tokens, self.cached_input_usd_per_million_tokens),
            (usage.cache_write_tokens, self.cache_write_usd_per_million_tokens),
            (usage.audio_prompt_tokens, self.audio_input_usd_per_million_tokens),
        ];
        Some(sum_pico(usage.prompt_tokens?, usual, &parts))
    }

    /// The cost of the tokens of an answer, in picodollars; `None` if the server did not count them.
    pub(super) fn completion_pico(&self, usage: &Usage) -> Option<u64> {
        let usual = self.output_usd_per_million_tokens;
        let parts = [
            (usage.reasoning_tokens, self.reasoning_usd_per_million_tokens),
            (usage.audio_completion_tokens, self.audio_output_usd_per_million_tokens),
        ];
        Some(sum_pico(usage.completion_tokens?, usual, &parts))
    }
}

/// The cost of `tokens` in picodollars. `parts` contains numbers of tokens with their prices; all other
/// tokens have the usual price.
fn sum_pico(tokens: u64, usual: f64, parts: &[(Option<u64>, Option<f64>)]) -> u64 {
    let (mut left, mut sum) = (tokens, 0_u64);
    for (part, price) in parts {
        let part = part.unwrap_or(0).min(left);
        left -= part;
        sum = sum.saturating_add(pico(part, price.unwrap_or(usual)));
    }
    sum.saturating_add(pico(left, usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_token_has_its_own_price_or_the_usual_one() {
        let plain = Rates {
            input_usd_per_million_tokens: 1.0,
            output_usd_per_million_tokens: 2.0,
            ..Rates::default()
        };
        let usage = Usage {
            prompt_tokens: Some(1000),
            completion_tokens: Some(100),
            reasoning_tokens: Some(80),
            cached_tokens: Some(900),
            ..Usage::default()
        };
        let usd = |rates: &Rates, usage: &Usage| {
            let pico = rates.prompt_pico(usage).unwrap() + rates.completion_pico(usage).unwrap();
            pico as f64 / PICO
        };
        assert_eq!(usd(&plain, &usage), 1.2e-3);
        let cached = Rates { cached_input_usd_per_million_tokens: Some(0.1), ..plain };
        // In USD per million tokens: 100 prompt tokens at 1, 900 cached tokens at 0.1, 100 answer tokens at
        // 2.
        assert_eq!(usd(&cached, &usage), 0.39e-3);
        let reasoning = Rates { reasoning_usd_per_million_tokens: Some(5.0), ..plain };
        // In USD per million tokens: 1000 prompt tokens at 1, 80 reasoning tokens at 5, 20 other answer
        // tokens at 2.
        assert_eq!(usd(&reasoning, &usage), 1.44e-3);
        assert_eq!(reasoning.most_pico(10, 10), (10_000_000, 50_000_000));
        // A count of cached tokens above the total is capped at the total.
        let wrong = Usage { cached_tokens: Some(5000), ..usage };
        assert_eq!(usd(&cached, &wrong), 0.3e-3);
    }
}
