//! Parses and checks the members that a user adds to the body of every request (`--body-json`). These members
//! set parameters that have no flag in surmise, such as the routing of a gateway, thinking budgets, or
//! options of a local server.
//!
//! The members are part of the body, and therefore part of the identity of a question. They cannot replace
//! members that surmise itself sends (the prompt, the model, parameters with flags), cannot request several
//! answers to one question, and cannot contain an API key, because bodies are stored in the journal.

use serde_json::{Map, Value};

use super::registry::key_patterns;
use crate::error::{Error, Result};

/// Forbidden members, with the reason. Surmise sends them itself, or the response would no longer be one
/// complete and independent answer. The list contains the names of all wire formats, because a gateway may
/// accept any of them.
static RESERVED: &[(&str, &str)] = &[
    ("model", "is set by --api-model"),
    ("messages", "is the prompt"),
    ("prompt", "is the prompt"),
    ("input", "is the prompt"),
    ("contents", "is the prompt"),
    ("system", "is part of the prompt; give it in the `messages` of the item"),
    ("instructions", "is part of the prompt; give it in the `messages` of the item"),
    ("systemInstruction", "is part of the prompt; give it in the `messages` of the item"),
    ("system_instruction", "is part of the prompt; give it in the `messages` of the item"),
    ("suffix", "is part of the prompt"),
    ("stream", "is always false, because surmise stores complete answers"),
    ("stream_options", "applies to streams, which surmise does not request"),
    ("n", "would request several answers; use --replicates"),
    ("best_of", "would generate and bill several answers"),
    ("candidateCount", "would request several answers; use --replicates"),
    ("max_tokens", "is set by --max-tokens, which also determines the reserved budget"),
    ("max_completion_tokens", "is set by --max-tokens, which also determines the reserved budget"),
    ("max_output_tokens", "is set by --max-tokens, which also determines the reserved budget"),
    ("maxOutputTokens", "is set by --max-tokens, which also determines the reserved budget"),
    ("max_new_tokens", "is set by --max-tokens, which also determines the reserved budget"),
    ("num_predict", "is set by --max-tokens, which also determines the reserved budget"),
    ("background", "would return a response without the answer"),
    ("previous_response_id", "would make answers depend on each other"),
    ("conversation", "would make answers depend on each other"),
];

/// Last words of the names of members whose values are secrets.
static SECRET_NAMES: &[&str] = &[
    "key",
    "apikey",
    "secret",
    "password",
    "passwd",
    "token",
    "authorization",
    "auth",
    "credential",
    "credentials",
    "bearer",
    "cookie",
];

/// Reads and checks the text of `--body-json`.
///
/// # Errors
/// [`Error::Parameter`] if the text is not a JSON object, or contains a forbidden member.
pub fn parse(text: &str) -> Result<Map<String, Value>> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        fault(format!("is not JSON ({error}); write an object such as '{{\"top_k\": 1}}'"))
    })?;
    let Value::Object(members) = value else {
        return Err(fault("must be a JSON object such as '{\"top_k\": 1}'".into()));
    };
    if let Some((name, why)) = RESERVED.iter().find(|(name, _)| members.contains_key(*name)) {
        return Err(fault(format!("must not contain `{name}`, which {why}")));
    }
    // The same names are forbidden in the objects in which wire formats nest their parameters.
    for (outer, inner) in members.iter().filter_map(|(name, value)| Some((name, value.as_object()?))) {
        let nested = matches!(outer.as_str(), "options" | "generationConfig" | "generation_config");
        if let Some((name, why)) = RESERVED.iter().find(|(name, _)| nested && inner.contains_key(*name)) {
            return Err(fault(format!("must not contain `{outer}.{name}`, which {why}")));
        }
    }
    refuse_secrets("", &members)?;
    Ok(members)
}

fn fault(reason: String) -> Error {
    Error::Parameter { name: "--body-json", reason }
}

/// Returns an error if a name or a value looks like a secret. The message never contains a value.
fn refuse_secrets(path: &str, members: &Map<String, Value>) -> Result<()> {
    for (name, value) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let is_secret = SECRET_NAMES.contains(&last_word(name).as_str()) && is_text(value);
        if is_secret || holds_key(value) || looks_like_key(name) {
            let reason = "looks like a secret, and requests are stored in the journal; set the key in the \
                          environment variable of the provider";
            let path = if looks_like_key(name) { "a member name".into() } else { format!("`{path}`") };
            return Err(fault(format!("must not contain an API key: {path} {reason}")));
        }
        match value {
            Value::Object(inner) => refuse_secrets(&path, inner)?,
            Value::Array(list) => {
                for inner in list.iter().filter_map(Value::as_object) {
                    refuse_secrets(&path, inner)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// The last word of a name, such as `key` in `api_key`, `apiKey` and `X-Api-Key`. The last word of
/// `max_tokens` is `tokens`, which is not the name of a secret.
fn last_word(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.rsplit(|c: char| !c.is_alphanumeric());
    let last = words.into_iter().next().unwrap_or_default().to_owned();
    let of_camel_case = name.rfind(char::is_uppercase).map(|at| name[at..].to_lowercase());
    match of_camel_case {
        Some(word) if SECRET_NAMES.contains(&word.as_str()) => word,
        _ => last,
    }
}

fn holds_key(value: &Value) -> bool {
    match value {
        Value::String(text) => looks_like_key(text),
        Value::Array(list) => list.iter().any(holds_key),
        _ => false,
    }
}

/// Whether a text starts like a key of a known provider, or is a bearer or session token.
fn looks_like_key(text: &str) -> bool {
    /// Minimum number of characters after the prefix of a key. Ordinary words with the same prefix are
    /// shorter.
    const LEAST_TAIL: usize = 16;
    let tail =
        |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).count();
    let begins =
        |prefix: &str, least: usize| text.strip_prefix(prefix).is_some_and(|rest| tail(rest) >= least);
    begins("Bearer ", 8)
        || begins("eyJ", 3 * LEAST_TAIL)
        || key_patterns()
            .any(|known| begins(known.prefix, known.least_tail.unwrap_or(LEAST_TAIL).min(LEAST_TAIL)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_without_prompt_limit_and_secret_is_accepted() {
        for (text, says) in [
            ("{", "is not JSON"),
            ("[1]", "must be a JSON object"),
            ("null", "must be a JSON object"),
            ("{\"messages\":[]}", "`messages`, which is the prompt"),
            ("{\"model\":\"x\"}", "--api-model"),
            ("{\"stream\":true}", "always false"),
            ("{\"n\":2}", "--replicates"),
            ("{\"max_tokens\":9}", "--max-tokens"),
            ("{\"generationConfig\":{\"maxOutputTokens\":9}}", "generationConfig.maxOutputTokens"),
            ("{\"options\":{\"num_predict\":9}}", "options.num_predict"),
            ("{\"api_key\":\"abc\"}", "`api_key` looks like a secret"),
            ("{\"a\":{\"apiKey\":\"abc\"}}", "`a.apiKey` looks like a secret"),
            ("{\"a\":[{\"token\":\"abc\"}]}", "`a.token` looks like a secret"),
            ("{\"user\":\"sk-abcdefghijklmnopqrstuvwxyz\"}", "`user` looks like a secret"),
            ("{\"a\":[\"Bearer abcdefghijkl\"]}", "`a` looks like a secret"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
            assert!(!error.contains("abcdef"), "{error}");
        }
        for text in [
            "{}",
            "{\"top_k\":1}",
            "{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024}}",
            "{\"max_thinking_tokens\":9,\"key\":3}",
            "{\"provider\":{\"order\":[\"a\",\"b\"]},\"user\":\"sk-8\"}",
        ] {
            parse(text).expect(text);
        }
    }
}
