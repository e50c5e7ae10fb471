//! A server may send a stream although none was requested. The stream is read like a normal answer.

use serde_json::json;
use surmise::provider::{self, Answer, Headers, Outcome};

fn read(provider: &str, body: &str) -> Answer {
    provider::read(provider::find(provider).expect("a provider"), 200, &Headers::default(), body.as_bytes())
}

fn answered(answer: &Answer) -> &str {
    match &answer.outcome {
        Outcome::Answered { text } => text,
        other => panic!("{other:?}"),
    }
}

fn events(events: &[serde_json::Value]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

#[test]
fn a_stream_of_each_form_is_joined() {
    let chat = |delta: serde_json::Value, reason: Option<&str>| {
        json!({"object": "chat.completion.chunk", "model": "m-1",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let usage = json!({"model": "m-1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}});
    let chunks = [
        chat(json!({"role": "assistant", "content": ""}), None),
        chat(json!({"reasoning_content": "France, hm"}), None),
        chat(json!({"content": "Pa"}), None),
        chat(json!({"content": "ris"}), Some("stop")),
        usage,
    ];
    let answer = read("openai-chat", &(events(&chunks) + "data: [DONE]\n\n"));
    assert_eq!((answered(&answer), answer.model_snapshot.as_deref()), ("Paris", Some("m-1")));
    assert_eq!(answer.usage.and_then(|usage| usage.completion_tokens), Some(2));

    let text = |text: &str, reason: Option<&str>| {
        json!({"choices": [{"text": text, "finish_reason": reason, "logprobs":
            {"tokens": [text], "token_logprobs": [-0.5], "text_offset": [0]}}]})
    };
    let answer = read("openai-completions", &events(&[text("Pa", None), text("ris", Some("stop"))]));
    assert_eq!((answered(&answer), answer.n_logprobs()), ("Paris", 2));

    let done = json!({"type": "response.completed", "response": {"status": "completed", "model": "m",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "Paris"}]}]}});
    let delta = json!({"type": "response.output_text.delta", "delta": "Paris"});
    let answer = read(
        "openai-responses",
        &events(&[json!({"type": "response.created", "response": {}}), delta, done]),
    );
    assert_eq!(answered(&answer), "Paris");

    let answer = read(
        "anthropic",
        &events(&[
            json!({"type": "message_start",
                "message": {"model": "c", "content": [], "usage": {"input_tokens": 9}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking"}}),
            json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "thinking_delta", "thinking": "hm"}}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
            json!({"type": "content_block_delta", "index": 1,
                "delta": {"type": "text_delta", "text": "Paris"}}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 4}}),
            json!({"type": "message_stop"}),
        ]),
    );
    let usage = answer.usage.expect("a usage");
    assert_eq!(
        (answered(&answer), usage.prompt_tokens, usage.completion_tokens),
        ("Paris", Some(9), Some(4))
    );

    let part = |text: &str, reason: Option<&str>| {
        json!({"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": reason}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1}})
    };
    assert_eq!(answered(&read("gemini", &events(&[part("Pa", None), part("ris", Some("STOP"))]))), "Paris");

    let line = |text: &str, is_done: bool| {
        json!({"model": "m", "message": {"content": text}, "done": is_done,
            "done_reason": if is_done { json!("stop") } else { json!(null) }, "eval_count": 2})
        .to_string()
            + "\n"
    };
    assert_eq!(answered(&read("ollama", &(line("Pa", false) + &line("ris", true)))), "Paris");
}

#[test]
fn an_interrupted_stream_is_not_a_complete_answer() {
    let chunk = json!({"choices": [{"delta": {"content": "The capi"}}]});
    let partial = Outcome::Truncated { text: "The capi".into() };
    assert_eq!(read("openai-chat", &events(std::slice::from_ref(&chunk))).outcome, partial);
    // If a server gives no finish reason, [DONE] shows that the answer is complete.
    let done = events(std::slice::from_ref(&chunk)) + "data: [DONE]\n\n";
    assert_eq!(answered(&read("openai-chat", &done)), "The capi");
    let error = json!({"error": {"message": "overloaded", "type": "overloaded_error", "code": 529}});
    assert_eq!(read("openai-chat", &events(&[chunk, error.clone()])).outcome, partial);
    assert_eq!(read("openai-chat", &events(&[error])).outcome.kind(), "failed");
    let delta = json!({"type": "response.output_text.delta", "delta": "The capi"});
    assert_eq!(read("openai-responses", &events(&[delta])).outcome, partial);
    assert_eq!(read("openai-chat", "data: nothing\n\n").outcome.kind(), "unreadable");
}

#[test]
fn the_first_of_several_answers_in_a_stream_is_read() {
    let part = |index: u32, content: &str, reason: Option<&str>| {
        let delta = json!({"content": content});
        json!({"choices": [{"index": index, "delta": delta, "finish_reason": reason}]})
    };
    let chunks = [
        part(0, "Pa", None),
        part(1, "Ro", None),
        part(1, "me", Some("length")),
        part(0, "ris", Some("stop")),
    ];
    assert_eq!(answered(&read("openai-chat", &events(&chunks))), "Paris");
}

#[test]
fn a_refusal_by_the_provider_behind_a_gateway_is_a_refusal() {
    let body = json!({"choices": [{"message": {"content": "I cannot."}, "finish_reason": "stop",
        "native_finish_reason": "refusal"}]});
    assert_eq!(read("openai-chat", &body.to_string()).outcome.kind(), "refused");
}
