//! Defines the trait [`Provider`]: one wire format, with two pure functions and the conventions of its
//! servers.

use serde_json::Value;

use super::answer::Answer;
use super::batch::BatchWire;
use super::conventions::Conventions;
use super::failure::ErrorClassifier;
use super::generation_params::{CHAT_MAX_TOKENS, Capabilities, GenerationParams};
use super::request::{KeyHeader, Request, WireRequest};
use crate::error::Result;

/// A wire format.
pub trait Provider: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// The default base URL, without a slash at the end.
    fn default_base_url(&self) -> &'static str;

    /// The environment variable with the key.
    fn key_variable(&self) -> &'static str;

    /// The header of the key.
    fn key_header(&self) -> KeyHeader;

    /// The capabilities of the wire format.
    fn capabilities(&self) -> Capabilities;

    /// Key patterns, rate-limit headers and error codes of this provider.
    fn conventions(&self) -> &'static Conventions {
        &Conventions::NONE
    }

    /// The batch API of its servers, if they have one.
    fn batch(&self) -> Option<&'static dyn BatchWire> {
        None
    }

    /// The default parameters for the model with this exact name. They depend on the model, because some
    /// models refuse parameters that other models accept.
    fn defaults(&self, _model: &str) -> GenerationParams {
        let max_tokens = GenerationParams::default().max_tokens;
        let max_tokens = if self.capabilities().chats { CHAT_MAX_TOKENS } else { max_tokens };
        GenerationParams { max_tokens, ..GenerationParams::default() }
    }

    /// Renders a request, without the key. Equal requests give equal bytes.
    ///
    /// # Errors
    /// [`crate::Error::Parameter`] for a parameter that the wire format does not support; no parameter is
    /// dropped silently.
    fn render(&self, request: &Request) -> Result<WireRequest>;

    /// Reads a successful response, whose body is a JSON object without an error. [`crate::provider::read`]
    /// handles errors for all providers; `errors` classifies an error inside an answer. This never fails or
    /// panics, whatever the object contains.
    fn read_success(&self, body: &Value, errors: &ErrorClassifier) -> Answer;
}
