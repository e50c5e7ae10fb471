//! Joins the events of Anthropic's messages: a start, deltas of numbered blocks, and an end with the stop
//! reason.

use serde_json::{Value, json};

use super::text::append;

/// Maximum number of blocks, more than in any answer.
const MOST_BLOCKS: u64 = 1000;

pub(super) fn join(events: &[Value]) -> Option<Value> {
    let start = events.iter().find(|event| event["type"] == "message_start")?;
    let mut message = start["message"].clone();
    message.as_object()?;
    let mut blocks: Vec<(Value, Option<String>)> = vec![];
    for event in events {
        let at = event["index"].as_u64().filter(|at| *at < MOST_BLOCKS).unwrap_or(0) as usize;
        match event["type"].as_str() {
            Some("content_block_start") => {
                blocks.resize(blocks.len().max(at + 1), (json!({"type": "text"}), None));
                let text = event["content_block"]["text"].as_str().map(Into::into);
                blocks[at] = (event["content_block"].clone(), text);
            }
            Some("content_block_delta") => {
                blocks.resize(blocks.len().max(at + 1), (json!({"type": "text"}), None));
                append(&mut blocks[at].1, &event["delta"]["text"]);
            }
            Some("message_delta") => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                for (name, count) in event["usage"].as_object().into_iter().flatten() {
                    if message["usage"].is_object() || message["usage"].is_null() {
                        message["usage"][name] = count.clone();
                    }
                }
            }
            _ => {}
        }
    }
    let content = blocks.into_iter().map(|(mut block, text)| {
        if let (Some(text), Some(members)) = (text, block.as_object_mut()) {
            members.insert("text".into(), text.into());
        }
        block
    });
    message["content"] = content.collect();
    Some(message)
}
