//! The seam of this folder: a provider is one wire format, that is, two pure functions and the conventions
//! of its servers.

use serde_json::Value;

use super::answer::Answer;
use super::batch::BatchWire;
use super::conventions::Conventions;
use super::failure::ErrorClassifier;
use super::generation_params::{CHAT_MAX_TOKENS, Capabilities, GenerationParams};
use super::request::{KeyHeader, Request, WireRequest};
use crate::error::Result;

/// One wire format.
pub trait Provider: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// The base URL unless one is given, without a slash at the end.
    fn default_base_url(&self) -> &'static str;

    /// The environment variable that holds the key.
    fn key_variable(&self) -> &'static str;

    /// How the key is sent.
    fn key_header(&self) -> KeyHeader;

    /// Which parameters the wire format can express.
    fn capabilities(&self) -> Capabilities;

    /// Key patterns, rate-limit headers and error codes of this provider.
    fn conventions(&self) -> &'static Conventions {
        &Conventions::NONE
    }

    /// The batch API of its servers, if they have one.
    fn batch(&self) -> Option<&'static dyn BatchWire> {
        None
    }

    /// The default parameters for a model, by its exact name: some models refuse what all others accept.
    fn defaults(&self, _model: &str) -> GenerationParams {
        let max_tokens = GenerationParams::default().max_tokens;
        let max_tokens = if self.capabilities().chats { CHAT_MAX_TOKENS } else { max_tokens };
        GenerationParams { max_tokens, ..GenerationParams::default() }
    }

    /// The request as it is sent, without the key. Equal requests give equal bytes.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] for a parameter that the wire format cannot express: nothing is dropped
    /// silently.
    fn render(&self, request: &Request) -> Result<WireRequest>;

    /// The meaning of a successful response, whose body is a JSON object without an error in it. Errors are
    /// read by [`crate::provider::read`], for all providers alike; `errors` classifies an error that stands
    /// inside an answer. It never fails and never panics, whatever the object contains.
    fn read_success(&self, body: &Value, errors: &ErrorClassifier) -> Answer;
}
