//! The wire format of Gemini, `POST {base}/v1beta/models/{model}:generateContent`. The key is sent in a
//! header, never in the query.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts, TokenLogprob, Usage, no_answer};
use super::batch::{BatchWire, GeminiBatches};
use super::chat_form::split;
use super::conventions::{Conventions, KeyPattern};
use super::failure::ErrorClassifier;
use super::failure_class::{FailureClass, FilterSide};
use super::finish_reason::Finish;
use super::generation_params::Capabilities;
use super::json;
use super::rate_limit::duration;
use super::reasoning::ReasoningEffort;
use super::request::{KeyHeader, Request, Role, WireRequest};
use super::wire_format::Provider;
use crate::error::Result;

/// Gemini's `generateContent` API.
#[derive(Debug, Clone, Copy)]
pub struct Gemini;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    generation_config: Config<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

/// The thinking settings. Effort `none` is sent as a budget of 0 tokens. Other efforts are sent as a level,
/// which newer models accept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
}

/// The effort levels of Gemini models.
const EFFORTS: &[ReasoningEffort] = &[
    ReasoningEffort::None,
    ReasoningEffort::Minimal,
    ReasoningEffort::Low,
    ReasoningEffort::Medium,
    ReasoningEffort::High,
];

fn thinking_config(effort: ReasoningEffort) -> ThinkingConfig {
    let is_none = effort == ReasoningEffort::None;
    ThinkingConfig {
        thinking_level: (!is_none).then(|| effort.name()),
        thinking_budget: is_none.then_some(0),
    }
}

/// Key patterns and error bodies of Gemini.
const CONVENTIONS: Conventions = Conventions {
    key_patterns: &[KeyPattern { prefix: "AIza", least_tail: Some(30) }],
    retry_after_s: Some(retry_delay),
    error_codes: &[
        ("API_KEY_INVALID", FailureClass::Credentials),
        ("UNAUTHENTICATED", FailureClass::Credentials),
        ("PERMISSION_DENIED", FailureClass::Credentials),
        ("NOT_FOUND", FailureClass::NoModel),
        ("RESOURCE_EXHAUSTED", FailureClass::Rejected),
        ("UNAVAILABLE", FailureClass::Overloaded),
    ],
    error_messages: &[("API key not valid", FailureClass::Credentials)],
    is_long_quota: Some(is_per_day),
    unsupported_messages: &[("Invalid JSON payload received. Unknown name \"", "\"")],
    ..Conventions::NONE
};

/// Whether a daily quota was exceeded, so that waiting a minute does not help.
fn is_per_day(error: &Value) -> bool {
    let details = error["details"].as_array().into_iter().flatten();
    let violations = details.flat_map(|detail| detail["violations"].as_array().into_iter().flatten());
    violations.filter_map(|violation| violation["quotaId"].as_str()).any(|id| id.contains("PerDay"))
}

/// The wait in seconds from `google.rpc.RetryInfo`, a `retryDelay` such as `22s`.
fn retry_delay(error: &Value) -> Option<f64> {
    let details = error["details"].as_array()?;
    let info = details
        .iter()
        .find(|detail| detail["@type"].as_str().is_some_and(|name| name.ends_with("RetryInfo")))?;
    duration(info["retryDelay"].as_str()?)
}

impl Provider for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn default_base_url(&self) -> &'static str {
        "https://generativelanguage.googleapis.com"
    }

    fn key_variable(&self) -> &'static str {
        "GEMINI_API_KEY"
    }

    fn key_header(&self) -> KeyHeader {
        KeyHeader::Named("x-goog-api-key")
    }

    fn conventions(&self) -> &'static Conventions {
        &CONVENTIONS
    }

    fn batch(&self) -> Option<&'static dyn BatchWire> {
        Some(&GeminiBatches)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            chats: true,
            stops: 5,
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
        let (system, turns) = split(self.name(), &request.prompt)?;
        let role = |role: Role| Some(if role == Role::Assistant { "model" } else { "user" });
        let content = |role, text| Content { role, parts: [Part { text }] };
        let body = Body {
            contents: turns.iter().map(|turn| content(role(turn.role), turn.content)).collect(),
            system_instruction: (!system.is_empty()).then(|| content(None, &system)),
            generation_config: Config {
                max_output_tokens: params.max_tokens,
                temperature: params.temperature,
                top_p: params.top_p,
                stop_sequences: &params.stop,
                seed: params.seed,
                response_logprobs: params.logprobs.map(|_| true),
                logprobs: params.logprobs,
                thinking_config: params.reasoning_effort.map(thinking_config),
            },
        };
        let path = format!("/v1beta/{}:generateContent", resource(&request.model));
        WireRequest::json(path, vec![], &body, params)
    }

    fn read_success(&self, value: &Value, _: &ErrorClassifier) -> Answer {
        let candidate = &value["candidates"][0];
        let reason = candidate["finishReason"].as_str();
        let blocked = value["promptFeedback"]["blockReason"].as_str();
        let finish = Finish::of(&candidate["finishReason"]);
        let filtered = match blocked {
            Some(why) => Some((FilterSide::Prompt, Some(why.into()))),
            None => (finish == Finish::Filtered).then(|| (FilterSide::Answer, reason.map(Into::into))),
        };
        let all = || candidate["content"]["parts"].as_array().into_iter().flatten();
        let tool = all().find_map(|part| part["functionCall"]["name"].as_str());
        let has_reasoning = all().any(|part| part["thought"] == true);
        let parts = AnswerParts {
            text: text(candidate),
            filtered,
            finish,
            reason: reason.map(Into::into),
            has_reasoning,
            tool: tool.map(Into::into),
            ..AnswerParts::default()
        };
        let is_answer = candidate.is_object() || blocked.is_some();
        let outcome = if is_answer { parts.into() } else { no_answer(value) };
        Answer {
            usage: usage(&value["usageMetadata"]),
            model_snapshot: value["modelVersion"].as_str().map(Into::into),
            finish_reason: reason.or(blocked).map(Into::into),
            has_reasoning,
            logprobs: tokens(&candidate["logprobsResult"]),
            ..Answer::of(outcome)
        }
    }
}

/// The path of a model: `models/NAME`, unless the name already is a path (`tunedModels/NAME`).
fn resource(model: &str) -> String {
    let mut path = String::from(if model.contains('/') { "" } else { "models/" });
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                path.push(char::from(byte));
            }
            _ => write!(path, "%{byte:02X}").unwrap_or_default(),
        }
    }
    path
}

/// The text of an answer, without any thoughts.
fn text(candidate: &Value) -> Option<String> {
    let parts = candidate["content"]["parts"].as_array()?.iter().filter(|part| part["thought"] != true);
    let mut texts = parts.filter_map(|part| part["text"].as_str()).peekable();
    texts.peek()?;
    Some(texts.collect())
}

/// Reads the token counts. Thoughts are billed as output but are not part of `candidatesTokenCount`.
fn usage(usage: &Value) -> Option<Usage> {
    let count = |name: &str| json::count(&usage[name]);
    let (thoughts, prompt) = (count("thoughtsTokenCount"), count("promptTokenCount"));
    let answer = count("candidatesTokenCount").map(|n| n.saturating_add(thoughts.unwrap_or(0)));
    // Gemini omits a count that is zero, so a missing answer count is computed from the total.
    let rest = count("totalTokenCount").zip(prompt).map(|(total, prompt)| total.saturating_sub(prompt));
    Usage {
        prompt_tokens: prompt,
        completion_tokens: answer.or(rest),
        reasoning_tokens: thoughts,
        cached_tokens: count("cachedContentTokenCount"),
        ..Usage::default()
    }
    .counted()
}

fn tokens(result: &Value) -> Option<Vec<TokenLogprob>> {
    let pair = |candidate: &Value| {
        Some((candidate["token"].as_str()?.to_owned(), candidate["logProbability"].as_f64()?))
    };
    let one = |(i, chosen): (usize, &Value)| {
        let top = result["topCandidates"][i]["candidates"].as_array().into_iter().flatten();
        TokenLogprob {
            token: chosen["token"].as_str().unwrap_or_default().into(),
            bytes: None,
            logprob: chosen["logProbability"].as_f64(),
            top: top.filter_map(pair).collect(),
            offset: None,
        }
    };
    Some(result["chosenCandidates"].as_array()?.iter().enumerate().map(one).collect())
}
