//! `POST {base}/v1/messages`: Anthropic. It has no log-probabilities and no seed, and a text that ends an
//! answer must not be blank.

use serde::Serialize;
use serde_json::Value;

use super::answer::Said;
use super::openai_chat::{Turn, content, turns};
use super::{Answer, Capabilities, Headers, KeyHeader, Message, Prompt, Provider, Request, Role, Usage};
use super::{WireRequest, json, read, wire};
use crate::error::{Error, Result};

/// The messages of Anthropic.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

/// The version of the wire format that is spoken here.
const VERSION: &str = "2023-06-01";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
}

/// Splits what the model is to be, joined by blank lines, from what is said; a chat must begin with the user
/// and alternate.
///
/// # Errors
/// [`Error::Parameter`]
pub(super) fn split<'a>(provider: &str, prompt: &'a Prompt) -> Result<(String, Vec<Turn<'a>>)> {
    let Prompt::Messages(messages) = prompt else { return Ok((String::new(), turns(prompt))) };
    let system = |message: &&Message| message.role == Role::System;
    let spoken = messages.iter().filter(|message| message.role != Role::System);
    let mut expected = Role::User;
    for message in spoken {
        if message.role != expected {
            let reason =
                format!("must begin with the user and alternate for {provider}; mend the item's `messages`");
            return Err(Error::Parameter { name: "messages", reason });
        }
        expected = if expected == Role::User { Role::Assistant } else { Role::User };
    }
    if expected == Role::User && !messages.iter().any(|message| message.role == Role::User) {
        return Err(Error::Parameter {
            name: "messages",
            reason: format!("must hold a message of the user for {provider}"),
        });
    }
    let parts: Vec<&str> = messages.iter().filter(system).map(|message| message.content.as_str()).collect();
    let turns = turns(prompt).into_iter().filter(|turn| turn.role != Role::System).collect();
    Ok((parts.join("\n\n"), turns))
}

impl Provider for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn default_base_url(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn key_variable(&self) -> &'static str {
        "ANTHROPIC_API_KEY"
    }

    fn key_header(&self) -> KeyHeader {
        KeyHeader::Named("x-api-key")
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            chats: true,
            // No limit is published; this many serve any task.
            stops: 16,
            blank_stops: false,
            max_temperature: 1.0,
            max_seed: None,
            top_logprobs: None,
            echo: false,
        }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let settings = &request.settings;
        settings.check(self.name(), &self.capabilities())?;
        let (system, messages) = split(self.name(), &request.prompt)?;
        let body = Body {
            model: &request.model,
            max_tokens: settings.max_tokens,
            system,
            messages,
            temperature: settings.temperature,
            top_p: settings.top_p,
            stop_sequences: &settings.stop,
        };
        wire("/v1/messages", vec![("anthropic-version", VERSION.into())], &body)
    }

    fn read(&self, status: u16, headers: &Headers, body: &[u8]) -> Answer {
        read(status, headers, body, |value| {
            let reason = value["stop_reason"].as_str();
            let text = content(&value["content"], "text", "text");
            let said = Said {
                refusal: (reason == Some("refusal")).then(String::new),
                cut: matches!(reason, Some("max_tokens" | "model_context_window_exceeded" | "pause_turn")),
                text,
                filtered: None,
            };
            Answer {
                usage: usage(&value["usage"]),
                model_snapshot: value["model"].as_str().map(Into::into),
                finish_reason: reason.map(Into::into),
                ..Answer::of(said.into())
            }
        })
    }
}

/// What was read from and written to a cache is not in `input_tokens`.
fn usage(usage: &Value) -> Option<Usage> {
    let count = |name: &str| json::count(&usage[name]);
    let cached = count("cache_read_input_tokens");
    let written = count("cache_creation_input_tokens").unwrap_or(0);
    Usage {
        prompt_tokens: count("input_tokens")
            .map(|n| n.saturating_add(written).saturating_add(cached.unwrap_or(0))),
        completion_tokens: count("output_tokens"),
        reasoning_tokens: None,
        cached_tokens: cached,
    }
    .counted()
}
