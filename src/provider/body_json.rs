//! Members that a user adds to the body of every request (`--body-json`), for parameters that surmise has no
//! flag for: routing of a gateway, thinking budgets, options of a local server.
//!
//! They are part of the body and therefore of a question's key. They cannot replace what surmise sends itself
//! (the prompt, the model, the parameters that have flags), cannot ask for several answers to one question,
//! and cannot hold a key, because bodies are stored in the journal.

use serde_json::{Map, Value};

use super::registry::key_patterns;
use crate::error::{Error, Result};

/// Members that surmise sends, or that would change what an answer is. Where a wire format has a name for
/// the same thing, the names of all wire formats are listed: a gateway may heed any of them.
static RESERVED: &[(&str, &str)] = &[
    ("model", "is set by --api-model"),
    ("messages", "is the prompt"),
    ("prompt", "is the prompt"),
    ("input", "is the prompt"),
    ("contents", "is the prompt"),
    ("system", "is a part of the prompt; give it in the item's `messages`"),
    ("instructions", "is a part of the prompt; give it in the item's `messages`"),
    ("systemInstruction", "is a part of the prompt; give it in the item's `messages`"),
    ("system_instruction", "is a part of the prompt; give it in the item's `messages`"),
    ("suffix", "is a part of the prompt"),
    ("stream", "is always false: a whole answer is stored at once"),
    ("stream_options", "belongs to streams, which are not asked for"),
    ("n", "would ask for several answers; use --replicates"),
    ("best_of", "would generate several answers and bill them"),
    ("candidateCount", "would ask for several answers; use --replicates"),
    ("max_tokens", "is set by --max-tokens, by which the budget is reserved"),
    ("max_completion_tokens", "is set by --max-tokens, by which the budget is reserved"),
    ("max_output_tokens", "is set by --max-tokens, by which the budget is reserved"),
    ("maxOutputTokens", "is set by --max-tokens, by which the budget is reserved"),
    ("max_new_tokens", "is set by --max-tokens, by which the budget is reserved"),
    ("num_predict", "is set by --max-tokens, by which the budget is reserved"),
    ("background", "would answer without the text"),
    ("previous_response_id", "would make answers depend on each other"),
    ("conversation", "would make answers depend on each other"),
];

/// Words of a name whose value is a secret.
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
/// [`Error::Parameter`] if it is no JSON object, or holds a member that is not allowed.
pub fn parse(text: &str) -> Result<Map<String, Value>> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        fault(format!("is not JSON ({error}); write an object such as '{{\"top_k\": 1}}'"))
    })?;
    let Value::Object(members) = value else {
        return Err(fault("must be a JSON object such as '{\"top_k\": 1}'".into()));
    };
    if let Some((name, why)) = RESERVED.iter().find(|(name, _)| members.contains_key(*name)) {
        return Err(fault(format!("must not hold `{name}`, which {why}")));
    }
    // The same names where a wire format nests its parameters.
    for (outer, inner) in members.iter().filter_map(|(name, value)| Some((name, value.as_object()?))) {
        let nested = matches!(outer.as_str(), "options" | "generationConfig" | "generation_config");
        if let Some((name, why)) = RESERVED.iter().find(|(name, _)| nested && inner.contains_key(*name)) {
            return Err(fault(format!("must not hold `{outer}.{name}`, which {why}")));
        }
    }
    refuse_secrets("", &members)?;
    Ok(members)
}

fn fault(reason: String) -> Error {
    Error::Parameter { name: "--body-json", reason }
}

/// Refuses names and values that look like secrets. The message never holds a value.
fn refuse_secrets(path: &str, members: &Map<String, Value>) -> Result<()> {
    for (name, value) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let is_secret = SECRET_NAMES.contains(&last_word(name).as_str()) && is_text(value);
        if is_secret || holds_key(value) || looks_like_key(name) {
            let reason = "looks like a secret, and requests are stored in the journal; keys come from the \
                          environment variable of the provider";
            let path = if looks_like_key(name) { "a name in it".into() } else { format!("`{path}`") };
            return Err(fault(format!("must hold no key: {path} {reason}")));
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

/// The last word of a name: `key` of `api_key`, `apiKey` and `X-Api-Key`. Counts of tokens end otherwise.
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

/// Whether a text begins like a key of a known provider, or is a token of a web session.
fn looks_like_key(text: &str) -> bool {
    /// Characters behind the prefix that no ordinary word has.
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
