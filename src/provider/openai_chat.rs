//! The chat format of OpenAI, `POST {base}/chat/completions`, and of many compatible servers (vLLM,
//! llama.cpp, OpenRouter, DeepSeek, Mistral, ...).

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts};
use super::batch::{BatchWire, OpenAiBatches};
use super::chat_form::{Turn, content, turns};
use super::conventions::Conventions;
use super::failure::ErrorClassifier;
use super::failure_class::FilterSide;
use super::finish_reason::{self, Finish};
use super::generation_params::{CHAT_MAX_TOKENS, Capabilities, GenerationParams, MaxTokensKey};
use super::openai::{self, filtered_category, finish, is_reasoning_model, token};
use super::reasoning::ReasoningEffort;
use super::request::{KeyHeader, Request, WireRequest};
use super::wire_format::Provider;
use crate::error::Result;

/// OpenAI's chat completions API.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiChat;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
}

impl Provider for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai-chat"
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
            stops: 4,
            blank_stops: true,
            max_temperature: 2.0,
            max_seed: Some(i64::MAX as u64),
            top_logprobs: Some(20),
            echo: false,
            efforts: &ReasoningEffort::ALL,
        }
    }

    fn defaults(&self, model: &str) -> GenerationParams {
        let params = GenerationParams { max_tokens: CHAT_MAX_TOKENS, ..GenerationParams::default() };
        if !is_reasoning_model(model) {
            return params;
        }
        GenerationParams { max_tokens_key: MaxTokensKey::MaxCompletionTokens, temperature: None, ..params }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let params = &request.params;
        params.check(self.name(), &self.capabilities())?;
        let (old, new) = match params.max_tokens_key {
            MaxTokensKey::MaxTokens => (Some(params.max_tokens), None),
            MaxTokensKey::MaxCompletionTokens => (None, Some(params.max_tokens)),
        };
        let body = Body {
            model: &request.model,
            messages: turns(&request.prompt),
            max_tokens: old,
            max_completion_tokens: new,
            temperature: params.temperature,
            top_p: params.top_p,
            stop: &params.stop,
            seed: params.seed,
            logprobs: params.logprobs.map(|_| true),
            top_logprobs: params.logprobs,
            reasoning_effort: params.reasoning_effort.map(ReasoningEffort::name),
        };
        Ok(WireRequest::json("/chat/completions", vec![], &body, params)?.whole())
    }

    fn read_success(&self, value: &Value, errors: &ErrorClassifier) -> Answer {
        let choice = &value["choices"][0];
        // Some gateways use the name `delta` for the message.
        let message = if choice["message"].is_object() { &choice["message"] } else { &choice["delta"] };
        let text = content(&message["content"], "text", "text");
        let reasoning = ["reasoning_content", "reasoning", "thinking"];
        let thoughts = message["content"].as_array().into_iter().flatten();
        let parts = AnswerParts {
            text: text.or_else(|| choice["text"].as_str().map(Into::into)),
            refusal: refusal(message),
            filtered: filtered(choice),
            has_reasoning: reasoning
                .iter()
                .any(|name| message[*name].as_str().is_some_and(|t| !t.is_empty()))
                || thoughts.into_iter().any(|part| part["type"] == "thinking" || part["type"] == "reasoning"),
            tool: tool(message),
            ..AnswerParts::default()
        };
        let mut answer = finish(parts, value, errors);
        answer.logprobs =
            choice["logprobs"]["content"].as_array().map(|list| list.iter().map(token).collect());
        answer
    }
}

fn refusal(message: &Value) -> Option<String> {
    let field = message["refusal"].as_str().filter(|text| !text.is_empty()).map(Into::into);
    field.or_else(|| content(&message["content"], "refusal", "refusal"))
}

/// The tool that the model called.
fn tool(message: &Value) -> Option<String> {
    let called =
        [&message["tool_calls"][0]["function"], &message["tool_calls"][0], &message["function_call"]];
    called.into_iter().find_map(|call| call["name"].as_str()).map(Into::into)
}

/// Whether a content filter withheld the answer, and the category, which Azure reports in the choice.
fn filtered(choice: &Value) -> Option<(FilterSide, Option<String>)> {
    let category = filtered_category(&choice["content_filter_results"]);
    (Finish::of(&choice["finish_reason"]) == Finish::Filtered).then(|| {
        let named = finish_reason::name(&choice["finish_reason"]).filter(|name| name != "content_filter");
        (FilterSide::Answer, category.or(named))
    })
}
