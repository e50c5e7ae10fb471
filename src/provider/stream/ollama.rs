//! Joins the lines of Ollama. Each line is a chunk of the message, and the last line has the counts.

use serde_json::{Value, json};

use super::text::append;

pub(super) fn join(events: &[Value]) -> Option<Value> {
    let (mut content, mut thinking, mut logprobs, mut calls) = (None, None, vec![], Value::Null);
    for event in events {
        append(&mut content, &event["message"]["content"]);
        append(&mut thinking, &event["message"]["thinking"]);
        logprobs.extend(event["logprobs"].as_array().into_iter().flatten().cloned());
        if calls.is_null() {
            calls = event["message"]["tool_calls"].clone();
        }
    }
    let mut body = events.last()?.clone();
    body.as_object()?;
    body["message"] =
        json!({"role": "assistant", "content": content, "thinking": thinking, "tool_calls": calls});
    if !logprobs.is_empty() {
        body["logprobs"] = logprobs.into();
    }
    Some(body)
}
