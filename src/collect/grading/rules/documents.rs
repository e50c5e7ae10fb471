//! The JSON in a text.

use serde_json::Value;

/// Places in a text at which JSON is looked for.
const MOST_TRIES: usize = 64;

/// The JSON objects and lists of a text, in their order.
pub(super) fn documents(text: &str) -> Vec<Value> {
    let (mut found, mut rest) = (vec![], text);
    for _ in 0..MOST_TRIES {
        let Some(at) = rest.find(['{', '[']) else { break };
        let mut stream = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<Value>();
        match stream.next() {
            Some(Ok(json)) => {
                found.push(json);
                rest = &rest[at + stream.byte_offset()..];
            }
            _ => rest = &rest[at + 1..],
        }
    }
    found
}
