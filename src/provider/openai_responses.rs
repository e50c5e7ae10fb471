//! OpenAI's newer format, `POST {base}/responses`. It has no stop sequences and no seed, and its smallest
//! token limit is 16.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts, Usage, no_answer};
use super::batch::{BatchWire, OpenAiBatches};
use super::chat_form::{Turn, content, turns};
use super::conventions::Conventions;
use super::failure::ErrorClassifier;
use super::failure_class::FilterSide;
use super::finish_reason::Finish;
use super::generation_params::{CHAT_MAX_TOKENS, Capabilities, GenerationParams};
use super::json;
use super::openai::{self, is_reasoning_model, token};
use super::reasoning::ReasoningEffort;
use super::request::{KeyHeader, Request, WireRequest};
use super::wire_format::Provider;
use crate::error::{Error, Result};

/// OpenAI's Responses API.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiResponses;

/// The smallest token limit that the API accepts.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    /// Whether the provider stores the answer.
    store: bool,
}

#[derive(Serialize)]
struct Reasoning {
    effort: &'static str,
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

    fn batch(&self) -> Option<&'static dyn BatchWire> {
        Some(&OpenAiBatches)
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
            efforts: &ReasoningEffort::ALL,
        }
    }

    fn defaults(&self, model: &str) -> GenerationParams {
        let temperature = if is_reasoning_model(model) { None } else { Some(0.0) };
        GenerationParams { max_tokens: CHAT_MAX_TOKENS, temperature, ..GenerationParams::default() }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let params = &request.params;
        params.check(self.name(), &self.capabilities())?;
        if params.max_tokens < LEAST_MAX_TOKENS {
            let reason = format!(
                "must be at least {LEAST_MAX_TOKENS} for {}, but is {}",
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
            reasoning: params.reasoning_effort.map(|effort| Reasoning { effort: effort.name() }),
            store: false,
        };
        Ok(WireRequest::json("/responses", vec![], &body, params)?.whole())
    }

    fn read_success(&self, value: &Value, _: &ErrorClassifier) -> Answer {
        let items = || value["output"].as_array().into_iter().flatten();
        let messages = || items().filter(|item| item["type"] == "message");
        // A model may comment on its next steps before it answers. The answer is the message that is marked
        // as final, or else the last message without a mark.
        let is_final = |item: &&Value| item["phase"] == "final_answer";
        let has_text = |item: &&Value| content(&item["content"], "text", "text").is_some();
        let is_plain = |item: &&Value| item["phase"].is_null() && has_text(item);
        let answer = messages().rfind(is_final).or_else(|| messages().rfind(is_plain));
        let is_other =
            |item: &Value| has_text(&item) && !answer.is_some_and(|answer| std::ptr::eq(answer, item));
        let messages = || messages().filter(|item| !is_other(item));
        let all = |kind: &'static str, member: &'static str| {
            let mut texts =
                messages().filter_map(move |item| content(&item["content"], kind, member)).peekable();
            texts.peek().is_some().then(|| texts.collect::<String>())
        };
        let (cause, status) = (value["incomplete_details"]["reason"].as_str(), value["status"].as_str());
        let reason = cause.or(status);
        let finish = match (cause.map(Finish::of_name), status) {
            (Some(Finish::Unknown | Finish::Complete), _) => Finish::Truncated,
            (Some(finish), _) => finish,
            (None, status) => status.map_or(Finish::Unknown, Finish::of_name),
        };
        let is_kind = |item: &Value, end: &str| item["type"].as_str().is_some_and(|kind| kind.ends_with(end));
        let calls =
            items().filter(|item| is_kind(item, "function_call") || is_kind(item, "custom_tool_call"));
        let (text, refusal) = (all("text", "text"), all("refusal", "refusal"));
        let commentary = text.is_none() && items().any(|item| item["phase"] == "commentary");
        let parts = AnswerParts {
            tool: calls.filter_map(|item| item["name"].as_str()).next().map(Into::into),
            // Reasoning items do not count here: a complete response that contains only reasoning is an empty
            // answer, not a truncated one.
            has_reasoning: commentary,
            filtered: (finish == Finish::Filtered).then_some((FilterSide::Answer, None)),
            reason: reason.map(Into::into),
            text,
            refusal,
            finish,
        };
        let contents = messages().flat_map(|item| item["content"].as_array().into_iter().flatten());
        let tokens: Vec<_> =
            contents.flat_map(|part| part["logprobs"].as_array().into_iter().flatten()).map(token).collect();
        // The caller has already handled an error object.
        let outcome =
            if value["output"].is_array() || status.is_some() { parts.into() } else { no_answer(value) };
        Answer {
            usage: usage(&value["usage"]),
            model_snapshot: value["model"].as_str().map(Into::into),
            finish_reason: reason.map(Into::into),
            has_reasoning: items().any(|item| item["type"] == "reasoning"),
            billing: openai::billing(value),
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
        ..Usage::default()
    }
    .counted()
}
