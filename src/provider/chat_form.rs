//! The parts of wire formats that several providers share: chat messages, and separating the system prompt.

use serde::Serialize;
use serde_json::Value;

use super::request::{Message, Prompt, Role};
use crate::error::{Error, Result};

/// A message on the wire.
#[derive(Serialize)]
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) content: &'a str,
}

/// A prompt as turns; a text becomes one message of the user.
pub(super) fn turns(prompt: &Prompt) -> Vec<Turn<'_>> {
    match prompt {
        Prompt::Text(text) => vec![Turn { role: Role::User, content: text }],
        Prompt::Messages(messages) => {
            messages.iter().map(|Message { role, content }| Turn { role: *role, content }).collect()
        }
    }
}

/// Separates the system messages, joined by blank lines, from the turns, which must begin with the user and
/// alternate.
///
/// # Errors
/// [`Error::Parameter`]
pub(super) fn split<'a>(provider: &str, prompt: &'a Prompt) -> Result<(String, Vec<Turn<'a>>)> {
    let Prompt::Messages(messages) = prompt else { return Ok((String::new(), turns(prompt))) };
    let system = |message: &&Message| message.role == Role::System;
    let turns_only = messages.iter().filter(|message| message.role != Role::System);
    let mut expected = Role::User;
    for message in turns_only {
        if message.role != expected {
            let reason = format!(
                "must begin with the user and alternate for {provider}; correct the item's `messages`"
            );
            return Err(Error::Parameter { name: "messages", reason });
        }
        expected = if expected == Role::User { Role::Assistant } else { Role::User };
    }
    if expected == Role::User && !messages.iter().any(|message| message.role == Role::User) {
        return Err(Error::Parameter {
            name: "messages",
            reason: format!("must contain a message of the user for {provider}"),
        });
    }
    let parts: Vec<&str> = messages.iter().filter(system).map(|message| message.content.as_str()).collect();
    let turns = turns(prompt).into_iter().filter(|turn| turn.role != Role::System).collect();
    Ok((parts.join("\n\n"), turns))
}

/// The text of a content: a string, or the joined parts of one `kind` ("text", "refusal") of a list. `member`
/// holds the text of a part.
pub(super) fn content(content: &Value, kind: &str, member: &str) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()).filter(|_| kind == "text"),
        Value::Array(parts) => {
            let mut texts = parts
                .iter()
                .filter(|part| part["type"] == kind)
                .filter_map(|part| part[member].as_str())
                .peekable();
            texts.peek()?;
            Some(texts.collect())
        }
        _ => None,
    }
}
