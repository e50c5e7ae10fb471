//! `POST {base}/chat/completions`: OpenAI, and the many servers that speak its form (vLLM, llama.cpp, OpenRouter, DeepSeek, Mistral, ...).

use serde::Serialize;

use super::json;
use super::{
    Answer, Headers, Hint, KeyHeader, MaxTokensKey, Message, Outcome, Prompt, Provider, Request, Role, WireRequest,
};
use crate::error::{Error, Result};

/// Chat completions of OpenAI's form.
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
}

#[derive(Serialize)]
struct Turn<'a> {
    role: Role,
    content: &'a str,
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

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let settings = &request.settings;
        if settings.echo {
            let reason = "has no place in a chat; take --provider openai-completions".into();
            return Err(Error::Parameter { name: "echo", reason });
        }
        let messages = match &request.prompt {
            Prompt::Text(text) => vec![Turn { role: Role::User, content: text }],
            Prompt::Messages(messages) => {
                messages.iter().map(|Message { role, content }| Turn { role: *role, content }).collect()
            }
        };
        let (old, new) = match settings.max_tokens_key {
            MaxTokensKey::MaxTokens => (Some(settings.max_tokens), None),
            MaxTokensKey::MaxCompletionTokens => (None, Some(settings.max_tokens)),
        };
        let body = Body {
            model: &request.model,
            messages,
            max_tokens: old,
            max_completion_tokens: new,
            temperature: settings.temperature,
            top_p: settings.top_p,
            stop: &settings.stop,
            seed: settings.seed,
            logprobs: settings.logprobs.map(|_| true),
            top_logprobs: settings.logprobs,
        };
        let fault = |source| Error::Json { path: "request".into(), source };
        let body = serde_json::to_vec(&body).map_err(fault)?;
        Ok(WireRequest { path: "/chat/completions".into(), headers: vec![], body })
    }

    fn read(&self, status: u16, headers: &Headers, body: &[u8]) -> Answer {
        let mut answer = Answer::of(Outcome::Unreadable { reason: format!("status {status}") });
        answer.hint = Hint::read(headers);
        let Some(value) = json::parse(body) else { return answer };
        let choice = &value["choices"][0];
        answer.finish_reason = choice["finish_reason"].as_str().map(Into::into);
        answer.model_snapshot = value["model"].as_str().map(Into::into);
        if let (200, Some(text)) = (status, choice["message"]["content"].as_str()) {
            answer.outcome = match answer.finish_reason.as_deref() {
                Some("length") => Outcome::Truncated { text: text.into() },
                _ if text.is_empty() => Outcome::Empty,
                _ => Outcome::Answered { text: text.into() },
            };
        }
        answer
    }
}
