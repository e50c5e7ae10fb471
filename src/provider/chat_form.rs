//! Converts chat messages for several wire formats, and separates the system prompt.

use serde::Serialize;
use serde_json::Value;

use super::request::{Message, Prompt, Role};
use crate::error::{Error, Result};

/// A message in the wire format.
#[derive(Serialize)]
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) content: &'a str,
}

/// A prompt as chat turns. A text becomes one user message.
pub(super) fn turns(prompt: &Prompt) -> Vec<Turn<'_>> {
    match prompt {
        Prompt::Text(text) => vec![Turn { role: Role::User, content: text }],
        Prompt::Messages(messages) => {
            messages.iter().map(|Message { role, content }| Turn { role: *role, content }).collect()
        }
    }
}

/// Separates the system messages, joined by blank lines, from the other turns. The other turns must start
/// with the user and alternate.
///
/// # Errors
/// [`Error::Parameter`] if the other turns do not start with the user and alternate, or if they contain no
/// user message.
pub(super) fn split<'a>(provider: &str, prompt: &'a Prompt) -> Result<(String, Vec<Turn<'a>>)> {
    let Prompt::Messages(messages) = prompt else { return Ok((String::new(), turns(prompt))) };
    let system = |message: &&Message| message.role == Role::System;
    let turns_only = messages.iter().filter(|message| message.role != Role::System);
    let mut expected = Role::User;
    for message in turns_only {
        if message.role != expected {
            let reason = format!(
                "must alternate between user and assistant for {provider}, starting with the user; correct \
                 the `messages` of the item"
            );
            return Err(Error::Parameter { name: "messages", reason });
        }
        expected = if expected == Role::User { Role::Assistant } else { Role::User };
    }
    if expected == Role::User && !messages.iter().any(|message| message.role == Role::User) {
        return Err(Error::Parameter {
            name: "messages",
            reason: format!("must contain a user message for {provider}"),
        });
    }
    let parts: Vec<&str> = messages.iter().filter(system).map(|message| message.content.as_str()).collect();
    let turns = turns(prompt).into_iter().filter(|turn| turn.role != Role::System).collect();
    Ok((parts.join("\n\n"), turns))
}

/// Reads the text of a message's `content`: a string, a list of parts, or a single part. The texts of all
/// parts of one `kind` ("text" or "refusal") are joined. `member` names the field that contains the text of a
/// part. Parts of another kind, such as reasoning, are left out.
pub(super) fn content(content: &Value, kind: &str, member: &str) -> Option<String> {
    let is_text = kind == "text";
    // Servers with OpenAI's newer format use the kind `output_text`. Some servers send plain strings as
    // parts.
    let part = |part: &Value| match part {
        Value::String(text) => Some(text.clone()).filter(|_| is_text),
        part if part["type"] == kind || is_text && part["type"] == "output_text" => {
            part[member].as_str().map(Into::into)
        }
        _ => None,
    };
    match content {
        Value::Array(parts) => {
            let mut texts = parts.iter().filter_map(part).peekable();
            texts.peek()?;
            Some(texts.collect())
        }
        one => part(one),
    }
}
