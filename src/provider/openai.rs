//! What the wire formats of OpenAI share, and the conventions of OpenAI and of the many servers that speak
//! its form (Azure, OpenRouter, DeepSeek, Mistral, Groq, vLLM, llama.cpp, ...).

use serde_json::Value;

use super::answer::{Answer, AnswerParts, TokenLogprob, Usage};
use super::conventions::{Conventions, KeyPattern, WindowHeaders};
use super::failure::{ErrorClassifier, interrupted};
use super::failure_class::{FailureClass, FilterSide};
use super::json;
use super::request::KeyHeader;
use super::text::clip;

/// The base URL of OpenAI.
pub(super) const BASE_URL: &str = "https://api.openai.com/v1";
/// The environment variable of its key.
pub(super) const KEY_VARIABLE: &str = "OPENAI_API_KEY";

/// Key patterns, rate-limit headers and error bodies of OpenAI and of compatible servers.
pub(super) const CONVENTIONS: Conventions = Conventions {
    key_patterns: &[
        KeyPattern::prefix("sk-or-v1-"),
        KeyPattern::prefix("sk-proj-"),
        KeyPattern::prefix("sk-svcacct-"),
        KeyPattern::prefix("sk-admin-"),
        KeyPattern { prefix: "sk-", least_tail: Some(20) },
        KeyPattern::prefix("gsk_"),
        KeyPattern::prefix("xai-"),
        KeyPattern::prefix("nvapi-"),
        KeyPattern::prefix("pplx-"),
    ],
    // Azure.
    other_key_headers: &[KeyHeader::Named("api-key")],
    kept_headers: &["x-ratelimit-", "openai-", "x-request-id", "x-should-retry"],
    retry_after_ms_header: Some("retry-after-ms"),
    should_retry_header: Some("x-should-retry"),
    request_windows: &[
        WindowHeaders { remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests" },
        WindowHeaders { remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset" },
    ],
    token_windows: &[WindowHeaders {
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    }],
    // vLLM.
    error_marks: &[("object", "error")],
    // Azure.
    code_pointers: &["/innererror/code", "/innererror/type", "/innererror/status", "/innererror/reason"],
    // Mistral, and servers that are built on FastAPI.
    message_pointers: &["/message/detail/0/msg", "/detail/0/msg", "/detail"],
    error_codes: &[
        ("insufficient_quota", FailureClass::Quota),
        ("credit_balance_exhausted", FailureClass::Quota),
        ("billing_hard_limit_reached", FailureClass::Quota),
        ("billing_not_active", FailureClass::Quota),
        ("insufficient_balance", FailureClass::Quota),
        ("insufficient_credits", FailureClass::Quota),
        ("invalid_api_key", FailureClass::Credentials),
        ("unsupported_country_region_territory", FailureClass::Credentials),
        ("model_not_found", FailureClass::NoModel),
        ("NotFoundError", FailureClass::NoModel),
        ("context_length_exceeded", FailureClass::Invalid),
        ("rate_limit_exceeded", FailureClass::Rejected),
        ("server_is_overloaded", FailureClass::Overloaded),
        ("slow_down", FailureClass::Overloaded),
        ("unavailable_error", FailureClass::Overloaded),
        ("service_unavailable_error", FailureClass::Overloaded),
    ],
    filter_codes: &[
        "content_filter",
        "content_policy_violation",
        "ResponsibleAIPolicyViolation",
        "moderation_blocked",
    ],
    filter_messages: &[("Invalid prompt: your prompt was flagged", FilterSide::Prompt)],
    is_filtered: Some(|error| error["metadata"]["reasons"].is_array()),
    filter_category: Some(filter_category),
    unsupported_codes: &["unsupported_parameter", "unsupported_value"],
    unsupported_messages: &[("Unrecognized request argument supplied: ", "")],
    unsupported_param: Some(forbidden_param),
    ..Conventions::NONE
};

/// The category by which Azure filtered a prompt, or a gateway's reason.
fn filter_category(error: &Value) -> Option<String> {
    filtered_category(&error["innererror"]["content_filter_result"])
        .or_else(|| error["metadata"]["reasons"][0].as_str().map(clip))
}

/// The first category of `{"hate": {"filtered": true, ...}, ...}` that is filtered.
pub(super) fn filtered_category(results: &Value) -> Option<String> {
    results.as_object()?.iter().find(|(_, result)| result["filtered"] == true).map(|(name, _)| clip(name))
}

/// The parameter that a server with strict schemas (Mistral, vLLM) forbids.
fn forbidden_param(error: &Value) -> Option<String> {
    let details = [&error["detail"], &error["message"]["detail"]];
    let detail = details.into_iter().find_map(|list| list.as_array()?.first())?;
    (detail["type"] == "extra_forbidden").then(|| detail["loc"].as_array()?.last()?.as_str().map(clip))?
}

/// Reasoning models of OpenAI: they accept `max_completion_tokens` only, and no sampling parameters. Names
/// are exact: any other model gets the usual parameters, and the probe finds out which of them it refuses.
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

/// Whether a model is a known reasoning model.
pub(super) fn is_reasoning_model(model: &str) -> bool {
    REASONING.contains(&model)
}

/// What chats and completions of OpenAI's form share: the finish reason, the model snapshot and the usage.
pub(super) fn finish(mut parts: AnswerParts, value: &Value, errors: &ErrorClassifier) -> Answer {
    let choice = &value["choices"][0];
    let reason = choice["finish_reason"].as_str();
    let broken = errors.error_in(choice).map(|error| errors.classify(200, error));
    parts.is_truncated = matches!(reason, Some("length" | "model_length" | "max_tokens"));
    // A server that aborts an answer may have sent a part of it.
    let stopped = matches!(reason, Some("insufficient_system_resource" | "abort" | "error"));
    let is_blank = parts.text.as_deref().is_none_or(|text| text.trim().is_empty());
    parts.is_truncated |= (stopped || broken.is_some()) && !is_blank;
    let outcome = match (broken, reason) {
        (Some(broken), _) if is_blank => broken,
        (None, Some(reason)) if is_blank && stopped => interrupted(reason),
        _ => parts.into(),
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

/// A token of `logprobs.content`; every member except its text may be missing.
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
