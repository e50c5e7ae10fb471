//! The wire format of Ollama, `POST {base}/api/chat`, for local servers. Ollama streams by default, ignores
//! sampling parameters outside `options`, and silently truncates prompts to its context window, so the window
//! size is always sent.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts, Usage, interrupted, no_answer};
use super::chat_form::{Turn, turns};
use super::failure::ErrorClassifier;
use super::finish_reason::Finish;
use super::generation_params::Capabilities;
use super::json;
use super::openai::token;
use super::reasoning::ReasoningEffort;
use super::request::{KeyHeader, Prompt, Request, WireRequest};
use super::wire_format::Provider;
use crate::error::Result;

/// Ollama's chat API.
#[derive(Debug, Clone, Copy)]
pub struct Ollama;

/// The smallest context window to request, in tokens.
const WINDOW: u64 = 8192;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Turn<'a>>,
    stream: bool,
    options: OllamaOptions<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Think>,
}

/// Whether a model thinks, or how much.
#[derive(Serialize)]
#[serde(untagged)]
enum Think {
    Switch(bool),
    Level(&'static str),
}

/// The levels of `think`, and `none`, which disables thinking.
const EFFORTS: &[ReasoningEffort] =
    &[ReasoningEffort::None, ReasoningEffort::Low, ReasoningEffort::Medium, ReasoningEffort::High];

#[derive(Serialize)]
struct OllamaOptions<'a> {
    num_predict: u32,
    num_ctx: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

impl Provider for Ollama {
    fn name(&self) -> &'static str {
        "ollama"
    }

    fn default_base_url(&self) -> &'static str {
        "http://127.0.0.1:11434"
    }

    fn key_variable(&self) -> &'static str {
        "OLLAMA_API_KEY"
    }

    fn key_header(&self) -> KeyHeader {
        KeyHeader::Bearer
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            chats: true,
            // Ollama publishes no limit; 16 is enough for every built-in task.
            stops: 16,
            blank_stops: true,
            max_temperature: 2.0,
            max_seed: Some(i32::MAX as u64),
            top_logprobs: Some(20),
            echo: false,
            efforts: EFFORTS,
        }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let params = &request.params;
        params.check(self.name(), &self.capabilities())?;
        let body = Body {
            model: &request.model,
            messages: turns(&request.prompt),
            stream: false,
            options: OllamaOptions {
                num_predict: params.max_tokens,
                num_ctx: window(&request.prompt, params.max_tokens),
                temperature: params.temperature,
                top_p: params.top_p,
                stop: &params.stop,
                seed: params.seed,
            },
            logprobs: params.logprobs.map(|_| true),
            top_logprobs: params.logprobs,
            think: params.reasoning_effort.map(|effort| match effort {
                ReasoningEffort::None => Think::Switch(false),
                level => Think::Level(level.name()),
            }),
        };
        WireRequest::json("/api/chat", vec![], &body, params)
    }

    fn read_success(&self, value: &Value, _: &ErrorClassifier) -> Answer {
        let reason = value["done_reason"].as_str();
        let message = &value["message"];
        // Old versions of Ollama send no finish reason.
        let is_done = reason.is_none() && value["done"] == true;
        let has_reasoning = message["thinking"].as_str().is_some_and(|text| !text.is_empty());
        let parts = AnswerParts {
            text: message["content"].as_str().map(Into::into),
            finish: if is_done { Finish::Complete } else { Finish::of(&value["done_reason"]) },
            reason: reason.map(Into::into),
            has_reasoning,
            tool: message["tool_calls"][0]["function"]["name"].as_str().map(Into::into),
            ..AnswerParts::default()
        };
        // The server only loaded or unloaded the model.
        let outcome = match reason {
            Some(reason @ ("load" | "unload")) => interrupted(reason),
            _ if message.is_object() => parts.into(),
            _ => no_answer(value),
        };
        Answer {
            usage: usage(value),
            model_snapshot: value["model"].as_str().map(Into::into),
            finish_reason: reason.map(Into::into),
            has_reasoning,
            logprobs: value["logprobs"].as_array().map(|list| list.iter().map(token).collect()),
            ..Answer::of(outcome)
        }
    }
}

/// The context window for prompt and answer in tokens. A token has at least one byte, so the number of bytes
/// is an upper bound. Rounding to powers of two avoids a reload of the model for every prompt.
fn window(prompt: &Prompt, max_tokens: u32) -> u64 {
    let bytes = match prompt {
        Prompt::Text(text) => text.len(),
        Prompt::Messages(messages) => messages.iter().map(|message| message.content.len() + 16).sum(),
    };
    // Templates add a few tokens around each message.
    (bytes as u64 + u64::from(max_tokens) + 256).next_power_of_two().max(WINDOW)
}

/// Reads the token counts, which are missing if the server answered from its cache.
fn usage(value: &Value) -> Option<Usage> {
    Usage {
        prompt_tokens: json::count(&value["prompt_eval_count"]),
        completion_tokens: json::count(&value["eval_count"]),
        ..Usage::default()
    }
    .counted()
}
