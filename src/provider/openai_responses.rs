//! `POST {base}/responses`: the newer form of OpenAI. It has no stop sequences and no seed, and its smallest
//! token limit is 16.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts, Usage};
use super::chat_form::{Turn, content, turns};
use super::conventions::Conventions;
use super::failure::{ErrorClassifier, interrupted};
use super::failure_class::FilterSide;
use super::generation_params::{Capabilities, GenerationParams};
use super::json;
use super::openai::{self, is_reasoning_model, token};
use super::request::{KeyHeader, Request, WireRequest};
use super::wire_format::Provider;
use crate::error::{Error, Result};

/// Responses of OpenAI's form.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiResponses;

/// The smallest token limit that is accepted.
const LEAST_MAX_TOKENS: u32 = 16;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: Vec<Turn<'a>>,
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    include: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
    /// Whether the provider stores the answer.
    store: bool,
}

impl Provider for OpenAiResponses {
    fn name(&self) -> &'static str {
        "openai-responses"
    }

    fn default_base_url(&self) -> &'static str {
        openai::BASE_URL
    }

    fn key_variable(&self) -> &'static str {
        openai::KEY_VARIABLE
    }

    fn key_header(&self) -> KeyHeader {
        KeyHeader::Bearer
    }

    fn conventions(&self) -> &'static Conventions {
        &openai::CONVENTIONS
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            chats: true,
            stops: 0,
            blank_stops: false,
            max_temperature: 2.0,
            max_seed: None,
            top_logprobs: Some(20),
            echo: false,
        }
    }

    fn defaults(&self, model: &str) -> GenerationParams {
        let temperature = if is_reasoning_model(model) { None } else { Some(0.0) };
        GenerationParams { temperature, ..GenerationParams::default() }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let params = &request.params;
        params.check(self.name(), &self.capabilities())?;
        if params.max_tokens < LEAST_MAX_TOKENS {
            let reason = format!(
                "must be at least {LEAST_MAX_TOKENS} for {}, and is {}",
                self.name(),
                params.max_tokens
            );
            return Err(Error::Parameter { name: "--max-tokens", reason });
        }
        let body = Body {
            model: &request.model,
            input: turns(&request.prompt),
            max_output_tokens: params.max_tokens,
            temperature: params.temperature,
            top_p: params.top_p,
            include: if params.logprobs.is_some() { &["message.output_text.logprobs"] } else { &[] },
            top_logprobs: params.logprobs,
            store: false,
        };
        WireRequest::json("/responses", vec![], &body)
    }

    fn read_success(&self, value: &Value, _: &ErrorClassifier) -> Answer {
        let messages =
            || value["output"].as_array().into_iter().flatten().filter(|item| item["type"] == "message");
        let all = |kind: &'static str, member: &'static str| {
            let mut texts =
                messages().filter_map(move |item| content(&item["content"], kind, member)).peekable();
            texts.peek().is_some().then(|| texts.collect::<String>())
        };
        let reason = value["incomplete_details"]["reason"].as_str();
        let filtered = (reason == Some("content_filter")).then_some((FilterSide::Answer, None));
        let incomplete = value["status"] == "incomplete" && filtered.is_none();
        let parts = AnswerParts {
            text: all("output_text", "text"),
            refusal: all("refusal", "refusal"),
            filtered,
            is_truncated: incomplete || reason == Some("max_output_tokens"),
        };
        let contents = messages().flat_map(|item| item["content"].as_array().into_iter().flatten());
        let tokens: Vec<_> =
            contents.flat_map(|part| part["logprobs"].as_array().into_iter().flatten()).map(token).collect();
        // A failure may come with HTTP status 200. Its error object, if it has one, was read before this.
        let outcome = match value["status"].as_str() {
            Some(status @ ("failed" | "cancelled")) => interrupted(status),
            _ => parts.into(),
        };
        Answer {
            usage: usage(&value["usage"]),
            model_snapshot: value["model"].as_str().map(Into::into),
            finish_reason: reason.or(value["status"].as_str()).map(Into::into),
            logprobs: (!tokens.is_empty()).then_some(tokens),
            ..Answer::of(outcome)
        }
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    Usage {
        prompt_tokens: json::count(&usage["input_tokens"]),
        completion_tokens: json::count(&usage["output_tokens"]),
        reasoning_tokens: json::count(&usage["output_tokens_details"]["reasoning_tokens"]),
        cached_tokens: json::count(&usage["input_tokens_details"]["cached_tokens"]),
    }
    .counted()
}
