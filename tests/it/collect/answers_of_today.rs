//! Tests current formats of answers from models and gateways: all finish reasons from public reports,
//! reasoning in addition to the text, the phases of messages, tool calls, and successful responses without an
//! answer.

use serde_json::{Value, json};
use surmise::provider::{self, Headers, Outcome};

/// The kind of an outcome, followed by its text if the text can be graded.
fn outcome(provider: &str, body: &Value) -> String {
    let provider = provider::find(provider).expect("a provider");
    match provider::read(provider, 200, &Headers::default(), body.to_string().as_bytes()).outcome {
        Outcome::Answered { text } => format!("answered {text}"),
        Outcome::Truncated { text } if !text.is_empty() => format!("truncated {text}"),
        Outcome::Failed(failure) => format!("failed {}", failure.class.name()),
        outcome => outcome.kind().into(),
    }
}

#[track_caller]
fn all_are(provider: &str, cases: &[(Value, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(body, expected)| (outcome(provider, body), expected, body))
        .filter(|(found, expected, _)| found != *expected)
        .map(|(found, expected, body)| format!("{found} instead of {expected}: {body}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_finish_reason_never_makes_a_truncated_answer_complete() {
    let chat = |content: Value, reason: Value| {
        json!({"model": "m", "choices": [{"message": {"role": "assistant", "content": content},
            "finish_reason": reason}]})
    };
    let part = |reason: &str| chat(json!("The capi"), json!(reason));
    let nothing = |reason: &str| chat(json!(""), json!(reason));
    let with = |name: &str, value: Value| {
        let mut body = chat(json!("The capi"), json!("stop"));
        body["choices"][0][name] = value;
        body
    };
    let message =
        |message: Value, reason: &str| json!({"choices": [{"message": message, "finish_reason": reason}]});
    let call = json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]);
    all_are(
        "openai-chat",
        &[
            (part("stop"), "answered The capi"),
            (part("end_turn"), "answered The capi"),
            (part(""), "answered The capi"),
            (part("length"), "truncated The capi"),
            (part("MAX_TOKENS"), "truncated The capi"),
            (part("model_context_window_exceeded"), "truncated The capi"),
            (part("repetition_truncation"), "truncated The capi"),
            (part("timeout"), "truncated The capi"),
            (part("network_error"), "truncated The capi"),
            (part("brand_new_reason"), "truncated The capi"),
            (chat(json!("The capi"), Value::Null), "truncated The capi"),
            (chat(json!("The capi"), json!({"type": "length", "length": 64})), "truncated The capi"),
            (chat(json!("The capi"), json!({"type": "abort", "message": "x"})), "truncated The capi"),
            (with("error", json!({"code": 502, "message": "Upstream died"})), "truncated The capi"),
            (with("native_finish_reason", json!("SAFETY")), "filtered"),
            (with("native_finish_reason", json!("STOP")), "answered The capi"),
            (part("sensitive"), "filtered"),
            (part("RECITATION"), "filtered"),
            (chat(Value::Null, json!("content_filter: RECITATION")), "filtered"),
            (nothing("SAFETY"), "filtered"),
            (nothing("network_error"), "failed unknown"),
            (nothing("refusal"), "refused"),
            (nothing("stop"), "empty"),
            (nothing("brand_new_reason"), "unreadable"),
            (chat(Value::Null, json!("function_call_filter: MALFORMED_FUNCTION_CALL")), "unreadable"),
            (message(json!({"content": null, "tool_calls": call}), "tool_calls"), "unreadable"),
            (message(json!({"content": "Let me look.", "tool_calls": call}), "stop"), "unreadable"),
            (message(json!({"content": null, "reasoning_content": "It is Paris."}), "stop"), "truncated"),
            (
                message(
                    json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "Paris"}]}),
                    "stop",
                ),
                "answered Paris",
            ),
            (message(json!({"content": ["Paris"]}), "stop"), "answered Paris"),
            (
                message(json!({"content": [{"type": "output_text", "text": "Paris"}]}), "stop"),
                "answered Paris",
            ),
            (message(json!({"content": {"type": "text", "text": "Paris"}}), "stop"), "answered Paris"),
            (json!({"choices": [{"text": "Paris", "index": 0, "finish_reason": "stop"}]}), "answered Paris"),
            (
                json!({"choices": [{"delta": {"content": "Paris"}, "finish_reason": "stop"}]}),
                "answered Paris",
            ),
            (json!([chat(json!("Paris"), json!("stop"))]), "answered Paris"),
        ],
    );
}

#[test]
fn a_success_without_an_answer_is_unreadable_and_reports_its_contents() {
    for body in [
        json!({"code": 429, "msg": "rate limit exceeded, please retry"}),
        json!({"success": false, "message": "rate limit exceeded, please retry"}),
        json!({"detail": "rate limit exceeded, please retry"}),
        json!({"choices": null,
            "base_resp": {"status_code": 1002, "status_msg": "rate limit exceeded, please retry"}}),
    ] {
        for provider in provider::ALL {
            let text = body.to_string();
            let answer = provider::read(*provider, 200, &Headers::default(), text.as_bytes());
            let Outcome::Unreadable { reason } = &answer.outcome else {
                panic!("{}: {:?} of {body}", provider.name(), answer.outcome)
            };
            assert!(reason.contains("rate limit exceeded, please retry"), "{reason}");
        }
    }
    all_are(
        "openai-chat",
        &[
            (json!({}), "unreadable"),
            (json!({"id": "x", "object": "chat.completion", "choices": []}), "unreadable"),
            (
                json!({"model": "m", "message": {"role": "assistant", "content": "Paris"}, "done": true}),
                "unreadable",
            ),
            (json!("Paris"), "unreadable"),
        ],
    );
}

#[test]
fn stop_reasons_of_anthropic_and_gemini_give_the_right_kinds() {
    let message = |content: Value, reason: Value| json!({"content": content, "stop_reason": reason});
    let text = |reason: Value| message(json!([{"type": "text", "text": "The capi"}]), reason);
    let tool = json!({"type": "tool_use", "id": "t", "name": "f", "input": {}});
    let thinking = json!({"type": "thinking", "thinking": "hm"});
    let paris = json!({"type": "text", "text": "Paris"});
    all_are(
        "anthropic",
        &[
            (text(json!("end_turn")), "answered The capi"),
            (text(json!("refusal")), "refused"),
            (text(json!("pause_turn")), "truncated The capi"),
            (text(json!("model_context_window_exceeded")), "truncated The capi"),
            (text(Value::Null), "truncated The capi"),
            (text(json!("compaction")), "unreadable"),
            (message(json!([tool]), Value::Null), "unreadable"),
            (message(json!([paris, tool]), json!("tool_use")), "unreadable"),
            (message(json!([thinking, paris]), json!("end_turn")), "answered Paris"),
            (message(json!([thinking]), json!("max_tokens")), "truncated"),
            (
                message(json!([{"type": "redacted_thinking", "data": "x"}, paris]), json!("end_turn")),
                "answered Paris",
            ),
            (message(json!([]), json!("end_turn")), "empty"),
            (message(json!("Paris"), json!("end_turn")), "answered Paris"),
        ],
    );
    let gemini = |parts: Value, reason: &str| {
        let candidate = json!({"content": {"parts": parts}, "finishReason": reason});
        json!({"candidates": [candidate]})
    };
    let some = |reason: &str| gemini(json!([{"text": "The capi"}]), reason);
    let none = |reason: &str| json!({"candidates": [{"finishReason": reason}]});
    all_are(
        "gemini",
        &[
            (some("MALFORMED_FUNCTION_CALL"), "unreadable"),
            (none("UNEXPECTED_TOOL_CALL"), "unreadable"),
            (some("OTHER"), "truncated The capi"),
            (none("OTHER"), "unreadable"),
            (some("MALFORMED_RESPONSE"), "truncated The capi"),
            (none("LANGUAGE"), "filtered"),
            (none("STOP"), "empty"),
            (none("MAX_TOKENS"), "truncated"),
            (gemini(json!([{"text": "hm", "thought": true}, {"text": "Paris"}]), "STOP"), "answered Paris"),
            (
                gemini(json!([{"executableCode": {"code": "print(1)"}}, {"text": "Paris"}]), "STOP"),
                "answered Paris",
            ),
        ],
    );
}

#[test]
fn only_the_final_phase_of_a_response_is_its_answer() {
    let response = |output: Value, status: &str| json!({"status": status, "model": "m", "output": output});
    let message = |text: &str, phase: Option<&str>| {
        let part = json!({"type": "output_text", "text": text});
        json!({"type": "message", "phase": phase, "content": [part]})
    };
    let reasoning = json!({"type": "reasoning", "summary": []});
    let (comment, end) =
        (message("I will look.", Some("commentary")), message("Paris", Some("final_answer")));
    let incomplete = json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
        "output": [reasoning]});
    all_are(
        "openai-responses",
        &[
            (response(json!([reasoning, comment, end]), "completed"), "answered Paris"),
            (response(json!([reasoning, comment]), "completed"), "truncated"),
            (response(json!([reasoning]), "completed"), "empty"),
            (response(json!([reasoning, message("Paris", None)]), "completed"), "answered Paris"),
            (
                response(json!([{"type": "web_search_call"}, message("Paris", None)]), "completed"),
                "answered Paris",
            ),
            (
                response(json!([message("Paris", None), message("Paris", None)]), "completed"),
                "answered Paris",
            ),
            (response(json!([{"type": "function_call", "name": "f"}]), "completed"), "unreadable"),
            (response(json!([]), "completed"), "empty"),
            (response(json!([]), "queued"), "truncated"),
            (response(json!([message("The capi", None)]), "in_progress"), "truncated The capi"),
            (response(json!([]), "failed"), "failed unknown"),
            (incomplete, "truncated"),
        ],
    );
}
