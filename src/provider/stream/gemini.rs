//! Joins the chunks of Gemini. Each chunk is a response with some of the parts; the last chunk has the finish
//! reason and the counts.

use serde_json::{Map, Value, json};

pub(super) fn join(events: &[Value]) -> Option<Value> {
    let (mut parts, mut body, mut reason) = (vec![], Map::new(), Value::Null);
    let mut has_candidate = false;
    for event in events {
        for name in ["usageMetadata", "modelVersion", "promptFeedback", "responseId"] {
            if !event[name].is_null() {
                body.insert(name.into(), event[name].clone());
            }
        }
        let candidate = &event["candidates"][0];
        has_candidate |= candidate.is_object();
        parts.extend(candidate["content"]["parts"].as_array().into_iter().flatten().cloned());
        if !candidate["finishReason"].is_null() {
            reason = candidate["finishReason"].clone();
        }
    }
    if has_candidate {
        let candidate = json!({"content": {"role": "model", "parts": parts}, "finishReason": reason});
        body.insert("candidates".into(), json!([candidate]));
    }
    Some(Value::Object(body))
}
