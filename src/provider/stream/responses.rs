//! Joins the events of the Responses API. The last event contains the whole response.

use serde_json::{Value, json};

use super::text::append;

pub(super) fn join(events: &[Value]) -> Option<Value> {
    let is_last = |event: &&Value| {
        matches!(
            event["type"].as_str(),
            Some("response.completed" | "response.incomplete" | "response.failed" | "response.cancelled")
        )
    };
    let deltas = || events.iter().filter(|event| event["type"] == "response.output_text.delta");
    let mut text = None;
    deltas().for_each(|event| append(&mut text, &event["delta"]));
    let message = |text: &str| {
        let part = json!({"type": "output_text", "text": text});
        json!([{"type": "message", "role": "assistant", "content": [part]}])
    };
    if let Some(last) = events.iter().rev().find(is_last) {
        let mut response = last["response"].clone();
        // Some servers omit the output in the last event.
        if let (Some(text), Some([])) = (&text, response["output"].as_array().map(Vec::as_slice)) {
            response["output"] = message(text);
        }
        return response.is_object().then_some(response);
    }
    // Without a last event the answer is incomplete.
    let model = events.iter().find_map(|event| event["response"]["model"].as_str());
    let output = text.as_deref().map_or(json!([]), message);
    Some(json!({"object": "response", "status": "incomplete", "model": model, "output": output,
        "incomplete_details": {"reason": "stream_ended"}}))
}
