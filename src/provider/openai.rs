//! What the wire formats of OpenAI share, and the conventions of OpenAI and of the many servers that speak its
//! form (Azure, OpenRouter, DeepSeek, Mistral, Groq, vLLM, llama.cpp, ...).

use serde_json::Value;

use super::answer::{Answer, AnswerParts, FailureClass, FilterSide, TokenLogprob, Usage};
use super::conventions::{Conventions, KeyPattern, WindowHeaders};
use super::failure::{ErrorClassifier, inner_error, interrupted};
use super::json;
use super::text::clip;

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
    kept_headers: &["x-ratelimit-", "openai-"],
    request_windows: &[
        WindowHeaders { remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests" },
        WindowHeaders { remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset" },
    ],
    token_windows: &[WindowHeaders {
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    }],
    error_codes: &[
        ("insufficient_quota", FailureClass::Quota),
        ("credit_balance_exhausted", FailureClass::Quota),
        ("billing_hard_limit_reached", FailureClass::Quota),
        ("billing_not_active", FailureClass::Quota),
        ("enforced_spend_limit_reached", FailureClass::Quota),
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
pub(super) fn is_reasoning_model(model: &str) -> bool {
    REASONING.contains(&model)
}

/// What chats and completions of OpenAI's form share: why the answer ended, who gave it, what it cost.
pub(super) fn finish(mut said: AnswerParts, value: &Value, errors: &ErrorClassifier) -> Answer {
    let choice = &value["choices"][0];
    let reason = choice["finish_reason"].as_str();
    let broken = inner_error(choice).map(|error| errors.classify(200, error));
    said.cut = matches!(reason, Some("length" | "model_length" | "max_tokens"));
    // A server that breaks an answer off leaves a part of it, or nothing at all.
    let stopped = matches!(reason, Some("insufficient_system_resource" | "abort" | "error"));
    let silent = said.text.as_deref().is_none_or(|text| text.trim().is_empty());
    said.cut |= (stopped || broken.is_some()) && !silent;
    let outcome = match (broken, reason) {
        (Some(broken), _) if silent => broken,
        (None, Some(reason)) if silent && stopped => interrupted(reason),
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
