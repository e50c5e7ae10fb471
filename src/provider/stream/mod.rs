//! Joins streams into complete bodies, because some servers and gateways stream although surmise requests a
//! complete answer. The events (server-sent events, or one JSON object per line) are joined into the body
//! that the same server would have sent without streaming. The format is detected from the events, not from
//! the provider, because gateways forward each other's formats.
//!
//! A stream without its last event gives an answer without a finish reason, which counts as truncated.

mod anthropic;
mod gemini;
mod ollama;
mod openai;
mod responses;
mod text;

use serde_json::Value;

use super::json;

/// Maximum number of events, more than in any answer within the token limits of surmise.
const MOST_EVENTS: usize = 200_000;

/// The body of a stream; `None` if the bytes are not a known kind of stream.
pub(super) fn joined(body: &[u8]) -> Option<Value> {
    let (events, is_done) = events(body)?;
    // An error at the end of a stream is the outcome, unless part of the answer came before it.
    let error = events.iter().find(|event| event["error"].is_object() || event["error"].is_string());
    let Some(first) = events.iter().find(|event| event["error"].is_null() && event["type"] != "ping") else {
        return error.cloned();
    };
    let joined = if first["type"].as_str().is_some_and(|kind| kind.starts_with("response.")) {
        responses::join(&events)
    } else if first["type"] == "message_start" {
        anthropic::join(&events)
    } else if first["choices"].is_array() {
        openai::join(&events, is_done)
    } else if first["candidates"].is_array() || first["usageMetadata"].is_object() {
        gemini::join(&events)
    } else if first["message"].is_object() && first["done"].is_boolean() {
        ollama::join(&events)
    } else {
        None
    };
    match (joined, error) {
        (Some(joined), None) => Some(joined),
        (Some(joined), Some(_)) if text::is_in(&joined) => Some(joined),
        (_, error) => error.cloned(),
    }
}

/// The events of a body, and whether it has an end mark (`[DONE]`).
fn events(body: &[u8]) -> Option<(Vec<Value>, bool)> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    let is_sse = text.lines().any(|line| line.starts_with("data:"));
    let (mut events, mut is_done, mut data) = (vec![], false, String::new());
    let mut end = |data: &mut String| {
        if data.trim() == "[DONE]" {
            is_done = true;
        } else if let (false, Ok(event)) = (data.trim().is_empty(), json::parse(data.as_bytes())) {
            events.push(event);
        }
        data.clear();
    };
    for line in text.lines() {
        if !is_sse {
            data.push_str(line);
            // A body with any other line is not a stream of objects.
            let is_object = line.trim().starts_with('{') && line.trim().ends_with('}');
            if !is_object && !line.trim().is_empty() {
                return None;
            }
            end(&mut data);
        } else if let Some(rest) = line.strip_prefix("data:") {
            // An event may have several data lines. Most servers end an event with a blank line, but some
            // omit it.
            if json::parse(data.as_bytes()).is_ok() {
                end(&mut data);
            }
            data.push_str(rest.trim_start());
            data.push('\n');
        } else if line.trim().is_empty() {
            end(&mut data);
        }
    }
    end(&mut data);
    (1..=MOST_EVENTS).contains(&events.len()).then_some((events, is_done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_from_lines_of_both_kinds() {
        let n = |body: &str| events(body.as_bytes()).map(|(events, is_done)| (events.len(), is_done));
        assert_eq!(n("data: {\"a\":1}\n\ndata: {\"a\":2}\n\ndata: [DONE]\n\n"), Some((2, true)));
        assert_eq!(n(": hello\r\nevent: x\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n"), Some((1, false)));
        assert_eq!(n("data:{\"a\":1}\ndata:{\"a\":2}\n"), Some((2, false)));
        assert_eq!(n("{\"a\":1}\n{\"a\":2}\n"), Some((2, false)));
        for no_stream in ["", "<html>\n</html>", "{\"a\":1,\n\"b\":2}", "data", "hello {\"a\":1}"] {
            assert_eq!(n(no_stream), None, "{no_stream}");
        }
    }
}
