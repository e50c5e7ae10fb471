//! The wire format of Anthropic, `POST {base}/v1/messages`. The API has no log-probabilities and no seeds,
//! and it rejects blank stop sequences.

use serde::Serialize;
use serde_json::Value;

use super::answer::{Answer, AnswerParts, Usage, no_answer};
use super::batch::{ANTHROPIC_VERSION, AnthropicBatches, BatchWire};
use super::chat_form::{Turn, content, split};
use super::conventions::{Conventions, KeyPattern, WindowHeaders};
use super::failure::ErrorClassifier;
use super::failure_class::{FailureClass, FilterSide};
use super::finish_reason::Finish;
use super::generation_params::Capabilities;
use super::json;
use super::openai::billing;
use super::reasoning::ReasoningEffort;
use super::request::{KeyHeader, Request, WireRequest};
use super::wire_format::Provider;
use crate::error::Result;

/// Anthropic's Messages API.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
}

#[derive(Serialize)]
struct OutputConfig {
    effort: &'static str,
}

#[derive(Serialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The effort levels of `output_config`, and `none`, which disables thinking.
const EFFORTS: &[ReasoningEffort] = &[
    ReasoningEffort::None,
    ReasoningEffort::Low,
    ReasoningEffort::Medium,
    ReasoningEffort::High,
    ReasoningEffort::Xhigh,
    ReasoningEffort::Max,
];

/// Key patterns, rate-limit headers and error bodies of Anthropic.
const CONVENTIONS: Conventions = Conventions {
    key_patterns: &[KeyPattern::prefix("sk-ant-api03-"), KeyPattern::prefix("sk-ant-")],
    kept_headers: &["anthropic-ratelimit-", "request-id", "x-should-retry"],
    should_retry_header: Some("x-should-retry"),
    request_windows: &[WindowHeaders {
        remaining: "anthropic-ratelimit-requests-remaining",
        reset: "anthropic-ratelimit-requests-reset",
    }],
    token_windows: &[
        WindowHeaders {
            remaining: "anthropic-ratelimit-tokens-remaining",
            reset: "anthropic-ratelimit-tokens-reset",
        },
        WindowHeaders {
            remaining: "anthropic-ratelimit-input-tokens-remaining",
            reset: "anthropic-ratelimit-input-tokens-reset",
        },
        WindowHeaders {
            remaining: "anthropic-ratelimit-output-tokens-remaining",
            reset: "anthropic-ratelimit-output-tokens-reset",
        },
    ],
    // Anthropic documents this status as "overloaded".
    statuses: &[(529, FailureClass::Overloaded)],
    error_marks: &[("type", "error")],
    code_pointers: &["/details/error_code"],
    error_codes: &[
        ("enforced_spend_limit_reached", FailureClass::Quota),
        ("billing_error", FailureClass::Quota),
        ("authentication_error", FailureClass::Credentials),
        ("permission_error", FailureClass::Credentials),
        ("not_found_error", FailureClass::NoModel),
        ("request_too_large", FailureClass::TooLarge),
        ("rate_limit_error", FailureClass::Rejected),
        ("overloaded_error", FailureClass::Overloaded),
    ],
    error_messages: &[
        ("Your credit balance is too low", FailureClass::Quota),
        ("You have reached your specified API usage limits", FailureClass::Quota),
    ],
    filter_messages: &[("Output blocked by content filtering policy", FilterSide::Answer)],
    unsupported_messages: &[("", ": Extra inputs are not permitted")],
    ..Conventions::NONE
};

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

    fn conventions(&self) -> &'static Conventions {
        &CONVENTIONS
    }

    fn batch(&self) -> Option<&'static dyn BatchWire> {
        Some(&AnthropicBatches)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            chats: true,
            // Anthropic publishes no limit; 16 is enough for every built-in task.
            stops: 16,
            blank_stops: false,
            max_temperature: 1.0,
            max_seed: None,
            top_logprobs: None,
            echo: false,
            efforts: EFFORTS,
        }
    }

    fn render(&self, request: &Request) -> Result<WireRequest> {
        let params = &request.params;
        params.check(self.name(), &self.capabilities())?;
        let (system, messages) = split(self.name(), &request.prompt)?;
        let effort = params.reasoning_effort.filter(|effort| *effort != ReasoningEffort::None);
        let body = Body {
            model: &request.model,
            max_tokens: params.max_tokens,
            system,
            messages,
            temperature: params.temperature,
            top_p: params.top_p,
            stop_sequences: &params.stop,
            output_config: effort.map(|effort| OutputConfig { effort: effort.name() }),
            thinking: (params.reasoning_effort == Some(ReasoningEffort::None))
                .then_some(Thinking { kind: "disabled" }),
        };
        let version = vec![("anthropic-version", ANTHROPIC_VERSION.into())];
        Ok(WireRequest::json("/v1/messages", version, &body, params)?.whole())
    }

    fn read_success(&self, value: &Value, _: &ErrorClassifier) -> Answer {
        let reason = value["stop_reason"].as_str();
        let items = || value["content"].as_array().into_iter().flatten();
        let is = |item: &Value, kind: &str| item["type"].as_str().is_some_and(|name| name.ends_with(kind));
        let tool = items().find(|item| is(item, "tool_use")).map(|item| item["name"].as_str());
        let has_reasoning = items().any(|item| is(item, "thinking"));
        let parts = AnswerParts {
            text: content(&value["content"], "text", "text"),
            finish: Finish::of(&value["stop_reason"]),
            reason: reason.map(Into::into),
            has_reasoning,
            tool: tool.map(|name| name.unwrap_or("unnamed").into()),
            ..AnswerParts::default()
        };
        let is_message = value["content"].is_array() || value["content"].is_string();
        let outcome = if is_message { parts.into() } else { no_answer(value) };
        Answer {
            usage: usage(&value["usage"]),
            model_snapshot: value["model"].as_str().map(Into::into),
            finish_reason: reason.map(Into::into),
            has_reasoning,
            billing: billing(value),
            ..Answer::of(outcome)
        }
    }
}

/// Reads the token counts. Anthropic's `input_tokens` excludes tokens that were read from or written to a
/// cache.
fn usage(usage: &Value) -> Option<Usage> {
    let count = |name: &str| json::count(&usage[name]);
    let cached = count("cache_read_input_tokens");
    let written = count("cache_creation_input_tokens").unwrap_or(0);
    Usage {
        prompt_tokens: count("input_tokens")
            .map(|n| n.saturating_add(written).saturating_add(cached.unwrap_or(0))),
        completion_tokens: count("output_tokens"),
        reasoning_tokens: count("thinking_tokens"),
        cached_tokens: cached,
        cache_write_tokens: count("cache_creation_input_tokens"),
        ..Usage::default()
    }
    .counted()
}
