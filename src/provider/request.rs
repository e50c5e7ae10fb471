//! What is sent to a provider: a prompt with its generation parameters, and the HTTP request it becomes.

use serde::{Deserialize, Serialize};

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
    /// The author's role.
    pub role: Role,
    /// The text.
    pub content: String,
}

/// The input of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// A text: a completion endpoint continues it, a chat endpoint receives it as the user's message.
    Text(String),
    /// A chat.
    Messages(Vec<Message>),
}

/// One request for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The model's name at the provider.
    pub model: String,
    /// The input.
    pub prompt: Prompt,
    /// How the answer is to be generated.
    pub params: GenerationParams,
}

/// A request as it goes over the wire: `POST {base}{path}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// The path after the base URL, beginning with a slash.
    pub path: String,
    /// Headers in addition to the key's and `content-type: application/json`.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Vec<u8>,
}

impl WireRequest {
    /// Serialises a body. Members keep the order of their struct, so that equal requests give equal bytes.
    ///
    /// # Errors
    /// [`Error::Json`]
    pub(super) fn json(
        path: impl Into<String>,
        headers: Vec<(&'static str, String)>,
        body: &impl Serialize,
    ) -> Result<Self> {
        let body =
            serde_json::to_vec(body).map_err(|source| Error::Json { path: "request".into(), source })?;
        Ok(Self { path: path.into(), headers, body })
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
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Named(name) => name,
        }
    }

    /// The header as it is sent.
    pub fn form(self) -> String {
        match self {
            Self::Bearer => "authorization: Bearer KEY".into(),
            Self::Named(name) => format!("{name}: KEY"),
        }
    }
}
