//! Providers of closed models: what is sent to an API and what its answer means, as two pure functions per
//! wire format. Nothing here touches a network, a clock or a key: a journal of raw answers can be read again
//! at any time, offline.
//!
//! To add a wire format: one file with a [`Provider`], one row in [`ALL`], and its golden bodies in
//! `tests/golden/providers`.

mod answer;
mod anthropic;
mod failure;
mod gemini;
mod hint;
pub(crate) mod json;
mod ollama;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod settings;

use serde::Serialize;
use serde_json::Value;

pub use self::answer::{Answer, Class, Failure, Outcome, TokenLogprob, Usage, Where};
pub use self::anthropic::Anthropic;
pub use self::gemini::Gemini;
pub use self::hint::Hint;
pub use self::ollama::Ollama;
pub use self::openai_chat::OpenAiChat;
pub use self::openai_completions::OpenAiCompletions;
pub use self::openai_responses::OpenAiResponses;
pub use self::settings::{Capabilities, MaxTokensKey, Settings};
use crate::error::{Error, Result};

/// Every wire format that is built in.
pub static ALL: &[&dyn Provider] =
    &[&OpenAiChat, &OpenAiResponses, &OpenAiCompletions, &Anthropic, &Gemini, &Ollama];

/// One wire format.
pub trait Provider: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// Where it is served unless told otherwise, without a slash at the end.
    fn default_base_url(&self) -> &'static str;

    /// The environment variable that holds the key.
    fn key_variable(&self) -> &'static str;

    /// How the key is sent.
    fn key_header(&self) -> KeyHeader;

    /// What the wire format has a place for.
    fn capabilities(&self) -> Capabilities;

    /// The settings to start from for a model, by its exact name: some refuse what all others take.
    fn defaults(&self, _model: &str) -> Settings {
        Settings::default()
    }

    /// The request as it is sent, without the key. The same request gives the same bytes.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a setting the wire format has no place for: nothing is dropped silently.
    fn render(&self, request: &Request) -> Result<WireRequest>;

    /// What an answer means. Total: it neither fails nor panics, whatever a server sends, and what cannot be
    /// read is [`Outcome::Unreadable`].
    fn read(&self, status: u16, headers: &Headers, body: &[u8]) -> Answer;
}

/// The provider of a name.
///
/// # Errors
/// [`Error::Unknown`]
pub fn find(name: &str) -> Result<&'static dyn Provider> {
    ALL.iter().find(|provider| provider.name() == name).copied().ok_or_else(|| {
        let known: Vec<_> = ALL.iter().map(|provider| provider.name()).collect();
        let hint = format!("there are {}; a compatible server is reached with --base-url", known.join(", "));
        Error::Unknown { kind: "provider", name: name.into(), hint }
    })
}

/// Who speaks in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What the model is to be.
    System,
    /// Who asks.
    User,
    /// The model.
    Assistant,
}

/// One turn of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// A text: to be continued by a completion endpoint, or said by the user of a chat.
    Text(String),
    /// A chat.
    Messages(Vec<Message>),
}

/// One answer asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The model's name at the provider.
    pub model: String,
    /// What is asked.
    pub prompt: Prompt,
    /// How it is to be answered.
    pub settings: Settings,
}

/// A request as it goes over the wire: `POST {base}{path}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// What follows the base URL, beginning with a slash.
    pub path: String,
    /// Headers beside the key's and `content-type: application/json`.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Vec<u8>,
}

/// How the key is sent: never in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`
    Bearer,
    /// `NAME: KEY`
    Named(&'static str),
}

/// Headers of an answer. Names are lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Takes names in any case.
    pub fn new<N: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.as_ref().to_ascii_lowercase(), value.into()))
                .collect(),
        )
    }

    /// The first value of a lower-case name, without the blanks around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// Names and values, in the order they came in.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A body as bytes. Members stand in the order in which their struct has them, so that the same request gives
/// the same bytes.
fn wire(
    path: impl Into<String>,
    headers: Vec<(&'static str, String)>,
    body: &impl Serialize,
) -> Result<WireRequest> {
    let body = serde_json::to_vec(body).map_err(|source| Error::Json { path: "request".into(), source })?;
    Ok(WireRequest { path: path.into(), headers, body })
}

/// What all wire formats share in reading: errors and hints. `success` sees JSON objects of success alone.
fn read(status: u16, headers: &Headers, body: &[u8], success: impl FnOnce(&Value) -> Answer) -> Answer {
    let (value, opened) = failure::open(status, headers, body);
    let mut answer = match (&value, opened) {
        (Some(value), Ok(())) => success(value),
        (_, Err(outcome)) => Answer::of(outcome),
        (None, Ok(())) => Answer::of(Outcome::Unreadable { reason: "the body holds nothing".into() }),
    };
    answer.hint = Hint::read(headers, value.as_ref());
    answer
}
