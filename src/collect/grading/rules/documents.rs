//! Finds the JSON in a text.

use serde_json::Value;

/// Maximum number of positions in a text at which the search tries to read JSON.
const MOST_TRIES: usize = 64;

/// The JSON objects and lists in a text, in order.
pub(super) fn documents(text: &str) -> Vec<Value> {
    let (mut found, mut rest) = (vec![], text);
    for _ in 0..MOST_TRIES {
        let Some(at) = rest.find(['{', '[']) else { break };
        rest = &rest[at..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let (json, length) = match stream.next() {
            Some(Ok(json)) => (Some(json), stream.byte_offset()),
            _ => repaired(rest).map_or((None, 1), |(json, length)| (Some(json), length)),
        };
        found.extend(json);
        rest = &rest[length..];
    }
    found
}

/// The object or list at the beginning of a text, and its length in bytes. Accepts three deviations from JSON
/// in the output of models: a comma after the last member, comments, and line breaks inside strings.
fn repaired(text: &str) -> Option<(Value, usize)> {
    let mut kept = String::new();
    let (mut depth, mut is_inside, mut is_escaped, mut is_comment) = (0_usize, false, false, false);
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        if is_comment {
            is_comment = c != '\n';
        } else if is_inside {
            is_inside = c != '"' || is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            if c.is_control() {
                kept.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                kept.push(c);
            }
        } else if c == '/' && rest.starts_with('/') {
            is_comment = true;
        } else if c != ',' || !closes(rest) {
            match c {
                '"' => is_inside = true,
                '{' | '[' => depth += 1,
                '}' | ']' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            kept.push(c);
            if depth == 0 {
                return Some((serde_json::from_str(&kept).ok()?, at + c.len_utf8()));
            }
        }
    }
    None
}

/// Whether the next character closes an object or a list. Blanks and comments are skipped.
fn closes(mut rest: &str) -> bool {
    loop {
        rest = rest.trim_start();
        match rest.strip_prefix("//") {
            Some(comment) => rest = comment.split_once('\n').map_or("", |(_, behind)| behind),
            None => return rest.starts_with(['}', ']']),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_with_the_slips_of_models() {
        let paris = json!({"answer": "Paris"});
        for text in [
            r#"{"answer": "Paris"}"#,
            r#"{"answer": "Paris",}"#,
            "{\"answer\": \"Paris\", // the capital\n}",
            "{\n  // the capital\n  \"answer\": \"Paris\"\n}",
            "It's: {\"answer\": \"Paris\",} and \"more\"",
        ] {
            assert_eq!(documents(text), std::slice::from_ref(&paris), "{text}");
        }
        assert_eq!(documents("{\"a\": [1, 2,], \"b\": {\"a\": 3,},}"), [json!({"a": [1, 2], "b": {"a": 3}})]);
        assert_eq!(
            documents("{\"url\": \"http://x\", \"a\": \"1,]\"}"),
            [json!({"url": "http://x", "a": "1,]"})]
        );
        assert_eq!(documents("{\"a\": \"b\nc\"}"), [json!({"a": "b\nc"})]);
        assert_eq!(documents("{x} [1]"), [json!([1])]);
        assert!(documents("{\"answer\": \"Paris\"").is_empty());
        assert!(documents("{'answer': 'Paris'}").is_empty());
        assert!(documents(&"{".repeat(10_000)).is_empty());
        assert!(documents(&",//\n".repeat(1000)).is_empty());
    }
}
