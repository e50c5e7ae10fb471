//! Shared parts of OpenAI's wire formats, and the conventions of OpenAI and its many compatible servers
//! (Azure, OpenRouter, DeepSeek, Mistral, Groq, vLLM, llama.cpp, ...).

use serde_json::Value;

use super::answer::{Answer, AnswerParts, Billing, TokenLogprob, Usage, no_answer};
use super::conventions::{Conventions, KeyPattern, WindowHeaders};
use super::failure::ErrorClassifier;
use super::failure_class::{FailureClass, FilterSide};
use super::finish_reason::{self, Finish};
use super::json;
use super::rate_limit::duration;
use super::request::KeyHeader;
use super::text::clip;

/// The base URL of OpenAI.
pub(super) const BASE_URL: &str = "https://api.openai.com/v1";
/// The environment variable with the key of OpenAI.
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
    // Azure expects the key in this header.
    other_key_headers: &[KeyHeader::Named("api-key")],
    kept_headers: &[
        "x-ratelimit-",
        "ratelimit-",
        "x-litellm-response-cost",
        "openai-",
        "x-request-id",
        "x-should-retry",
    ],
    retry_after_ms_header: Some("retry-after-ms"),
    should_retry_header: Some("x-should-retry"),
    request_windows: &[
        WindowHeaders { remaining: "x-ratelimit-remaining-requests", reset: "x-ratelimit-reset-requests" },
        WindowHeaders { remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset" },
        // From an IETF draft.
        WindowHeaders { remaining: "ratelimit-remaining", reset: "ratelimit-reset" },
    ],
    token_windows: &[WindowHeaders {
        remaining: "x-ratelimit-remaining-tokens",
        reset: "x-ratelimit-reset-tokens",
    }],
    // vLLM marks its errors in this way.
    error_marks: &[("object", "error")],
    // Azure puts further codes in these places.
    code_pointers: &["/innererror/code", "/innererror/type", "/innererror/status", "/innererror/reason"],
    // Mistral and servers built on FastAPI put the message in these places.
    message_pointers: &["/message/detail/0/msg", "/detail/0/msg", "/detail", "/msg", "/base_resp/status_msg"],
    retry_after_s: Some(named_wait),
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
        ("model_decommissioned", FailureClass::NoModel),
        // Codes of Zhipu.
        ("1211", FailureClass::NoModel),
        ("1261", FailureClass::TooLarge),
        ("NotFoundError", FailureClass::NoModel),
        ("DeploymentNotFound", FailureClass::NoModel),
        ("context_length_exceeded", FailureClass::TooLarge),
        ("exceed_context_size_error", FailureClass::TooLarge),
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
        "cyber_policy",
        "policy_violation",
        // From StepFun.
        "censorship_blocked",
        // From DashScope, Zhipu and one-api.
        "data_inspection_failed",
        "1301",
        "sensitive_words_detected",
    ],
    filter_messages: &[("Invalid prompt: your prompt was flagged", FilterSide::Prompt)],
    is_filtered: Some(|error| error["metadata"]["reasons"].is_array()),
    filter_category: Some(filter_category),
    unsupported_codes: &["unsupported_parameter", "unsupported_value"],
    unsupported_messages: &[("Unrecognized request argument supplied: ", "")],
    unsupported_param: Some(forbidden_param),
    ..Conventions::NONE
};

/// The category for which Azure filtered a prompt, or the reason that a gateway gives.
fn filter_category(error: &Value) -> Option<String> {
    filtered_category(&error["innererror"]["content_filter_result"])
        .or_else(|| error["metadata"]["reasons"][0].as_str().map(clip))
}

/// The first filtered category in `{"hate": {"filtered": true, ...}, ...}`.
pub(super) fn filtered_category(results: &Value) -> Option<String> {
    results.as_object()?.iter().find(|(_, result)| result["filtered"] == true).map(|(name, _)| clip(name))
}

/// The wait in seconds that a message states: "Please try again in 6m0s", "in 250ms".
fn named_wait(error: &Value) -> Option<f64> {
    let text = error["message"].as_str()?;
    let (_, behind) = text.split_once("try again in ")?;
    let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(behind.len());
    duration(behind[..end].trim_end_matches('.'))
}

/// The parameter that a server with a strict schema (Mistral, vLLM) forbids.
fn forbidden_param(error: &Value) -> Option<String> {
    let lists = [&error["detail"], &error["message"]["detail"], &error["details"], &error["errors"], error];
    let details = lists.into_iter().filter_map(Value::as_array).flatten();
    let is_extra = |kind: &str| matches!(kind, "extra_forbidden" | "value_error.extra");
    details
        .filter(|detail| detail["type"].as_str().is_some_and(is_extra))
        .find_map(|detail| detail["loc"].as_array()?.iter().rev().find_map(Value::as_str).map(clip))
}

/// OpenAI's reasoning models. They accept `max_completion_tokens` but not `max_tokens`, and no sampling
/// parameters. Names must match exactly: any other model gets the usual parameters, and the probe request
/// detects parameters that the model refuses.
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

/// Completes an answer with the members that chats and completions share: finish reason, model snapshot and
/// usage.
pub(super) fn finish(mut parts: AnswerParts, value: &Value, errors: &ErrorClassifier) -> Answer {
    let choice = &value["choices"][0];
    let reason = finish_reason::name(&choice["finish_reason"]);
    parts.finish = Finish::of(&choice["finish_reason"]);
    // A gateway may report an answer as complete although the provider behind it filtered, refused or
    // truncated it.
    let native = Finish::of(&choice["native_finish_reason"]);
    if parts.finish == Finish::Complete
        && matches!(native, Finish::Filtered | Finish::Refused | Finish::Truncated)
    {
        parts.finish = native;
    }
    parts.reason = reason.clone().filter(|_| parts.finish != Finish::Filtered).or_else(|| {
        finish_reason::name(&choice["native_finish_reason"]).filter(|_| parts.finish == Finish::Filtered)
    });
    let has_reasoning = parts.has_reasoning;
    let broken = errors.error_in(choice).map(|error| errors.classify(200, error));
    let is_blank = parts.text.as_deref().is_none_or(|text| text.trim().is_empty());
    let outcome = match broken {
        Some(broken) if is_blank => broken,
        // The server aborted the answer after it had generated part of the text.
        Some(_) => AnswerParts { finish: Finish::Truncated, ..parts }.into(),
        None if !choice.is_object() => no_answer(value),
        None => parts.into(),
    };
    Answer {
        usage: usage(&value["usage"]),
        model_snapshot: value["model"].as_str().map(Into::into),
        system_fingerprint: value["system_fingerprint"].as_str().map(Into::into),
        finish_reason: reason,
        has_reasoning,
        billing: billing(value),
        ..Answer::of(outcome)
    }
}

/// The service tier, and the cost as gateways report it: a number, or an object with the total.
pub(super) fn billing(value: &Value) -> Billing {
    /// xAI reports the cost in units of 1e-10 USD.
    const TICKS: f64 = 1e10;
    let usage = &value["usage"];
    let cost =
        [&usage["cost"], &usage["cost"]["total_cost"], &usage["cost"]["total"], &usage["estimated_cost"]];
    let ticks = usage["cost_in_usd_ticks"].as_f64().map(|ticks| ticks / TICKS);
    let tiers = [&value["service_tier"], &usage["service_tier"]];
    Billing {
        service_tier: tiers.into_iter().find_map(Value::as_str).map(Into::into),
        cost_usd: cost.into_iter().find_map(Value::as_f64).or(ticks).filter(|usd| *usd >= 0.0),
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let (prompt, answer) = (&usage["prompt_tokens_details"], &usage["completion_tokens_details"]);
    // DeepSeek reports cached tokens outside the prompt details.
    let cached =
        json::count(&prompt["cached_tokens"]).or_else(|| json::count(&usage["prompt_cache_hit_tokens"]));
    let prompt_tokens = json::count(&usage["prompt_tokens"]);
    let reasoning =
        json::count(&answer["reasoning_tokens"]).or_else(|| json::count(&usage["reasoning_tokens"]));
    let total = json::count(&usage["total_tokens"]);
    let completion = json::count(&usage["completion_tokens"]);
    Usage {
        prompt_tokens,
        completion_tokens: completion
            .map(|completion| with_reasoning(completion, reasoning, prompt_tokens, total)),
        reasoning_tokens: reasoning,
        cached_tokens: cached,
        cache_write_tokens: json::count(&prompt["cache_write_tokens"]),
        audio_prompt_tokens: json::count(&prompt["audio_tokens"]).filter(|tokens| *tokens > 0),
        audio_completion_tokens: json::count(&answer["audio_tokens"]).filter(|tokens| *tokens > 0),
    }
    .counted()
}

/// The number of tokens billed as output. xAI and some gateways do not include reasoning in the completion
/// tokens; in that case the total exceeds the sum of prompt and completion. Without a total, reasoning is
/// added only if it exceeds the completion tokens.
fn with_reasoning(completion: u64, reasoning: Option<u64>, prompt: Option<u64>, total: Option<u64>) -> u64 {
    let Some(reasoning) = reasoning else { return completion };
    let beside = completion.saturating_add(reasoning);
    match (prompt, total) {
        (Some(prompt), Some(total)) if total > prompt => {
            total.saturating_sub(prompt).clamp(completion.max(reasoning), beside)
        }
        _ if reasoning > completion => beside,
        _ => completion,
    }
}

/// Reads a token of `logprobs.content`. Every member except the text may be missing.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasoning_that_is_counted_beside_the_answer_is_billed_as_output() {
        let completion = |completion: u64, reasoning: u64, total: Option<u64>| {
            let counts = json!({"prompt_tokens": 20, "completion_tokens": completion, "total_tokens": total,
                "completion_tokens_details": {"reasoning_tokens": reasoning}});
            usage(&counts).and_then(|usage| usage.completion_tokens)
        };
        assert_eq!(completion(5, 45, Some(70)), Some(50), "reasoning is not included");
        assert_eq!(completion(50, 45, Some(70)), Some(50), "reasoning is included");
        assert_eq!(completion(5, 45, None), Some(50));
        assert_eq!(completion(50, 45, None), Some(50));
        assert_eq!(completion(5, 45, Some(25)), Some(45), "never less than the reasoning");
        assert_eq!(completion(5, 0, Some(1 << 40)), Some(5), "a total alone adds nothing");
    }

    #[test]
    fn parts_of_a_prompt_beyond_it_are_found() {
        let usage = |cached: u64| {
            usage(&json!({"prompt_tokens": 20, "prompt_tokens_details": {"cached_tokens": cached}}))
                .expect("counts")
        };
        assert!(!usage(20).exceeds_prompt());
        assert!(usage(21).exceeds_prompt());
    }
}
