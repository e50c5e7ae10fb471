//! `POST {base}/chat/completions`: OpenAI, and the many servers that speak its form (vLLM, llama.cpp,
//! OpenRouter, DeepSeek, Mistral, ...).

use serde::Serialize;
use serde_json::Value;

use super::answer::Said;
use super::{
    Answer, Capabilities, Headers, KeyHeader, MaxTokensKey, Message, Prompt, Provider, Request, Role,
};
use super::{Settings, TokenLogprob, Usage, Where, WireRequest, failure, json, read, wire};
use crate::error::Result;

/// Chat completions of OpenAI's form.
#[derive(Debug, Clone, Copy)]
pub struct OpenAiChat;

/// Models of OpenAI that think before they answer: they take `max_completion_tokens` alone, and no sampling
/// parameters. Exact names: a model that is not listed is asked as any other, and a probe shows what it
/// refuses.
static REASONING: &[&str] = &[
    "gpt-5",
    "gpt-5-2025-08-07",
    "gpt-5-mini",
    "gpt-5-mini-2025-08-07",
    "gpt-5-nano",
    "gpt-5-nano-2025-08-07",
    "o1",
    "o1-2024-12-17",
    "o1-mini",
    "o1-mini-2024-09-12",
    "o1-preview",
    "o1-preview-2024-09-12",
    "o3",
    "o3-2025-04-16",
    "o3-mini",
    "o3-mini-2025-01-31",
    "o4-mini",
    "o4-mini-2025-04-16",
];

/// Whether a model is known to think before it answers.
pub(super) fn reasoning(model: &str) -> bool {
    REASONING.contains(&model)
}

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
}

/// A message on the wire.
#[derive(Serialize)]
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) content: &'a str,
}

/// A prompt as turns: a text is what the user says.
pub(super) fn turns(prompt: &Prompt) -> Vec<Turn<'_>> {
    match prompt {
        Prompt::Text(text) => vec![Turn { role: Role::User, content: text }],
        Prompt::Messages(messages) => {
            messages.iter().map(|Message { role, content }| Turn { role: *role, content }).collect()
        }
    }
}

impl Provider for OpenAiChat {
    fn name(&self) -> &'static str {
        "openai-chat"
    }

    fn default_base_url(&self) -> &'static str {
        "https://api.openai.com/v1"
    }

    fn key_variable(&self) -> &'static str {
        "OPENAI_API_KEY"
    }

    fn key_header(&self) -> KeyHeader {
        KeyHeader::Bearer
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
        }
    }

    fn defaults(&self, model: &str) -> Settings {
        if !reasoning(model) {
            return Settings::default();
        }
        Settings {
            max_tokens_key: MaxTokensKey::MaxCompletionTokens,
            temperature: None,
            ..Settings::default()
        }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let settings = &request.settings;
        settings.check(self.name(), &self.capabilities())?;
        let (old, new) = match settings.max_tokens_key {
            MaxTokensKey::MaxTokens => (Some(settings.max_tokens), None),
            MaxTokensKey::MaxCompletionTokens => (None, Some(settings.max_tokens)),
        };
        let body = Body {
            model: &request.model,
            messages: turns(&request.prompt),
            max_tokens: old,
            max_completion_tokens: new,
            temperature: settings.temperature,
            top_p: settings.top_p,
            stop: &settings.stop,
            seed: settings.seed,
            logprobs: settings.logprobs.map(|_| true),
            top_logprobs: settings.logprobs,
        };
        wire("/chat/completions", vec![], &body)
    }

    fn read(&self, status: u16, headers: &Headers, body: &[u8]) -> Answer {
        read(status, headers, body, |value| {
            let choice = &value["choices"][0];
            let message = &choice["message"];
            let said = Said {
                text: content(&message["content"], "text", "text"),
                refusal: refusal(message),
                filtered: filtered(choice),
                cut: false,
            };
            let mut answer = finish(said, value);
            answer.logprobs =
                choice["logprobs"]["content"].as_array().map(|list| list.iter().map(token).collect());
            answer
        })
    }
}

/// A text, or the parts of one of a kind ("text", "refusal") where a server sends a list of them; each part
/// has its text in a member.
pub(super) fn content(content: &Value, kind: &str, member: &str) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()).filter(|_| kind == "text"),
        Value::Array(parts) => {
            let mut ours = parts
                .iter()
                .filter(|part| part["type"] == kind)
                .filter_map(|part| part[member].as_str())
                .peekable();
            ours.peek()?;
            Some(ours.collect())
        }
        _ => None,
    }
}

fn refusal(message: &Value) -> Option<String> {
    let field = message["refusal"].as_str().filter(|text| !text.is_empty()).map(Into::into);
    field.or_else(|| content(&message["content"], "refusal", "refusal"))
}

/// Azure says in the choice which filter struck.
fn filtered(choice: &Value) -> Option<(Where, Option<String>)> {
    (choice["finish_reason"] == "content_filter")
        .then(|| (Where::Answer, failure::filtered_category(&choice["content_filter_results"])))
}

/// What chats and completions of OpenAI's form share: why the answer ended, who gave it, what it cost.
pub(super) fn finish(mut said: Said, value: &Value) -> Answer {
    let choice = &value["choices"][0];
    let reason = choice["finish_reason"].as_str();
    let broken = failure::inner_error(choice).map(|error| failure::classify(200, error));
    said.cut = matches!(reason, Some("length" | "model_length" | "max_tokens"));
    // A server that breaks an answer off leaves a part of it, or nothing at all.
    let stopped = matches!(reason, Some("insufficient_system_resource" | "abort" | "error"));
    let silent = said.text.as_deref().is_none_or(|text| text.trim().is_empty());
    said.cut |= (stopped || broken.is_some()) && !silent;
    let outcome = match (broken, reason) {
        (Some(broken), _) if silent => broken,
        (None, Some(reason)) if silent && stopped => failure::interrupted(reason),
        _ => said.into(),
    };
    Answer {
        usage: usage(&value["usage"]),
        model_snapshot: value["model"].as_str().map(Into::into),
        system_fingerprint: value["system_fingerprint"].as_str().map(Into::into),
        finish_reason: reason.map(Into::into),
        ..Answer::of(outcome)
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    Usage {
        prompt_tokens: json::count(&usage["prompt_tokens"]),
        completion_tokens: json::count(&usage["completion_tokens"]),
        reasoning_tokens: json::count(&usage["completion_tokens_details"]["reasoning_tokens"]),
        cached_tokens: json::count(&usage["prompt_tokens_details"]["cached_tokens"]),
    }
    .counted()
}

/// A token of `logprobs.content`; every member but its text may be missing.
pub(super) fn token(entry: &Value) -> TokenLogprob {
    let likely = |top: &Value| Some((top["token"].as_str()?.to_owned(), top["logprob"].as_f64()?));
    let byte = |byte: &Value| u8::try_from(json::count(byte)?).ok();
    TokenLogprob {
        token: entry["token"].as_str().unwrap_or_default().into(),
        bytes: entry["bytes"].as_array().and_then(|bytes| bytes.iter().map(byte).collect()),
        logprob: entry["logprob"].as_f64(),
        top: entry["top_logprobs"].as_array().into_iter().flatten().filter_map(likely).collect(),
        offset: None,
    }
}
