//! Samples the tokens of an answer.

use candle_transformers::generation::{LogitsProcessor, Sampling};

/// The sampling parameters of a request.
#[derive(Debug, Clone, Default)]
pub(super) struct SamplingParams {
    pub temperature: f64,
    pub top_p: Option<f64>,
    pub top_k: Option<usize>,
    pub seed: u64,
    pub max_tokens: usize,
    pub stop: Vec<String>,
    /// Number of most likely tokens to report at each position.
    pub logprobs: Option<usize>,
    /// Whether to score the tokens of the prompt too.
    pub score_prompt: bool,
}

impl SamplingParams {
    /// The sampler for these parameters.
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
