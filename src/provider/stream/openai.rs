//! Joins the chunks of OpenAI's chat completions (`delta`) and completions (`text`).

use serde_json::{Map, Value, json};

use super::text::append;

/// Names of the lists inside `logprobs`, in both formats.
const LISTS: [&str; 5] = ["content", "tokens", "token_logprobs", "top_logprobs", "text_offset"];

pub(super) fn join(events: &[Value], is_done: bool) -> Option<Value> {
    let [mut content, mut refusal, mut reasoning, mut text] = [const { None::<String> }; 4];
    let (mut reason, mut native) = (Value::Null, Value::Null);
    let (mut calls, mut body, mut logprobs) = (Value::Null, Map::new(), Map::new());
    for event in events {
        for name in ["id", "created", "model", "system_fingerprint", "service_tier", "usage"] {
            if !event[name].is_null() {
                body.insert(name.into(), event[name].clone());
            }
        }
        // Only the first of several choices is read. Chunks of different choices may be interleaved.
        let choices = event["choices"].as_array().into_iter().flatten();
        let is_first = |choice: &&Value| choice["index"].as_u64().is_none_or(|index| index == 0);
        let Some(choice) = choices.into_iter().find(is_first) else { continue };
        let delta = if choice["delta"].is_object() { &choice["delta"] } else { &choice["message"] };
        append(&mut content, &delta["content"]);
        append(&mut refusal, &delta["refusal"]);
        append(&mut reasoning, &delta["reasoning_content"]);
        append(&mut reasoning, &delta["reasoning"]);
        append(&mut text, &choice["text"]);
        if calls.is_null() {
            calls = delta["tool_calls"].clone();
        }
        for (to, from) in [(&mut reason, "finish_reason"), (&mut native, "native_finish_reason")] {
            if !choice[from].is_null() {
                *to = choice[from].clone();
            }
        }
        for list in LISTS {
            if let Some(more) = choice["logprobs"][list].as_array() {
                let all = logprobs.entry(list).or_insert_with(|| json!([]));
                all.as_array_mut()?.extend(more.iter().cloned());
            }
        }
    }
    // The stream has an end mark, so the text before it is complete.
    if is_done && reason.is_null() {
        reason = json!("stop");
    }
    let mut choice = json!({"index": 0, "finish_reason": reason, "native_finish_reason": native});
    if let Some(text) = text {
        choice["text"] = text.into();
    } else {
        choice["message"] = json!({"role": "assistant", "content": content, "refusal": refusal,
            "reasoning_content": reasoning, "tool_calls": calls});
    }
    if !logprobs.is_empty() {
        choice["logprobs"] = Value::Object(logprobs);
    }
    body.insert("choices".into(), json!([choice]));
    Some(Value::Object(body))
}
