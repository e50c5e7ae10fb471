//! Defines a request to a provider: a prompt with generation parameters, and the HTTP request made from it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::body_merge::merge;
use super::generation_params::GenerationParams;
use crate::error::{Error, Result};

/// The role of a chat message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions to the model.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    /// The role of the author.
    pub role: Role,
    /// The text.
    pub content: String,
}

/// The input of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// A text. A completion endpoint continues it; a chat endpoint receives it as a user message.
    Text(String),
    /// A chat.
    Messages(Vec<Message>),
}

/// One request for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The name of the model at the provider.
    pub model: String,
    /// The input.
    pub prompt: Prompt,
    /// The generation parameters.
    pub params: GenerationParams,
}

/// An HTTP request in the wire format, `POST {base}{path}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// The path after the base URL, starting with a slash.
    pub path: String,
    /// Headers other than the key header and `content-type: application/json`.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// The end of a body that requests a complete answer instead of a stream.
const WHOLE: &[u8] = b",\"stream\":false}";

impl WireRequest {
    /// Serialises a body with the added members of `--body-json`. Equal requests give equal bytes: the
    /// members are in the order of the struct, or, if members were added, in alphabetical order.
    ///
    /// # Errors
    /// [`Error::Json`] if the body cannot be serialised; [`Error::Parameter`] for an added member that the
    /// body already has with another value.
    pub(super) fn json(
        path: impl Into<String>,
        headers: Vec<(&'static str, String)>,
        body: &impl Serialize,
        params: &GenerationParams,
    ) -> Result<Self> {
        let fault = |source| Error::Json { path: "request".into(), source };
        let body = if params.body_json.is_empty() {
            serde_json::to_vec(body)
        } else {
            let mut value = serde_json::to_value(body).map_err(fault)?;
            merge(&mut value, &params.body_json)?;
            serde_json::to_vec(&value)
        };
        Ok(Self { path: path.into(), headers, body: body.map_err(fault)? })
    }

    /// Adds `"stream": false` at the end of the body, for servers that stream by default.
    pub(super) fn whole(mut self) -> Self {
        self.body.pop();
        self.body.extend_from_slice(WHOLE);
        self
    }

    /// The bytes that identify the question: the body without the transport setting `stream`.
    pub fn identity(&self) -> Cow<'_, [u8]> {
        match self.body.strip_suffix(WHOLE) {
            Some(rest) => [rest, b"}"].concat().into(),
            None => (&self.body[..]).into(),
        }
    }
}

/// Where the API key is sent: in a header, never in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`
    Bearer,
    /// `NAME: KEY`
    Named(&'static str),
}

impl KeyHeader {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Named(name) => name,
        }
    }

    /// The header, with KEY in place of the key.
    pub fn form(self) -> String {
        match self {
            Self::Bearer => "authorization: Bearer KEY".into(),
            Self::Named(name) => format!("{name}: KEY"),
        }
    }
}
