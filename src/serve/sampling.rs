//! Sampling of the tokens of an answer.

use candle_transformers::generation::{LogitsProcessor, Sampling};

/// Sampling parameters of a request.
#[derive(Debug, Clone)]
pub(super) struct SamplingParams {
    pub temperature: f64,
    pub top_p: Option<f64>,
    pub top_k: Option<usize>,
    pub seed: u64,
    pub max_tokens: usize,
    pub stop: Vec<String>,
    /// How many of the most likely tokens are reported at each position.
    pub logprobs: Option<usize>,
    /// Whether the tokens of the prompt are scored, too.
    pub score_prompt: bool,
}

impl SamplingParams {
    /// The sampler of these parameters.
    pub fn processor(&self) -> LogitsProcessor {
        let temperature = self.temperature;
        let sampling = match (self.top_k, self.top_p) {
            _ if temperature <= 0.0 => Sampling::ArgMax,
            (Some(k), Some(p)) => Sampling::TopKThenTopP { k, p, temperature },
            (Some(k), None) => Sampling::TopK { k, temperature },
            (None, Some(p)) => Sampling::TopP { p, temperature },
            (None, None) => Sampling::All { temperature },
        };
        LogitsProcessor::from_sampling(self.seed, sampling)
    }
}
