//! Lists the built-in providers, and combines their conventions.

use super::conventions::{Conventions, KeyPattern};
use super::request::KeyHeader;
use super::wire_format::Provider;
use super::{anthropic::Anthropic, gemini::Gemini, ollama::Ollama, openai_chat::OpenAiChat};
use super::{openai_completions::OpenAiCompletions, openai_responses::OpenAiResponses};
use crate::error::Result;
use crate::names;

/// All built-in wire formats.
pub static ALL: &[&dyn Provider] =
    &[&OpenAiChat, &OpenAiResponses, &OpenAiCompletions, &Anthropic, &Gemini, &Ollama];

/// Finds a provider by its name.
///
/// # Errors
/// [`crate::Error::Unknown`] if no provider has this name.
pub fn find(name: &str) -> Result<&'static dyn Provider> {
    names::find(name, ALL, |provider| provider.name()).copied().ok_or_else(|| {
        let known: Vec<_> = ALL.iter().map(|provider| provider.name()).collect();
        let hint = format!(
            "the providers are {}; for a server that is compatible with one of them, add --base-url",
            known.join(", ")
        );
        names::unknown("provider", name, known, &hint)
    })
}

/// The conventions of all providers.
pub(super) fn conventions() -> impl Iterator<Item = &'static Conventions> + Clone {
    ALL.iter().map(|provider| provider.conventions())
}

/// The key patterns of all providers.
pub fn key_patterns() -> impl Iterator<Item = &'static KeyPattern> {
    conventions().flat_map(|known| known.key_patterns)
}

/// All headers in which providers expect a key, without duplicates.
pub fn key_headers() -> Vec<KeyHeader> {
    let mut headers: Vec<KeyHeader> = vec![];
    for provider in ALL {
        for header in std::iter::once(provider.key_header())
            .chain(provider.conventions().other_key_headers.iter().copied())
        {
            if !headers.contains(&header) {
                headers.push(header);
            }
        }
    }
    headers
}

/// The prefixes of response headers to store, from all providers.
pub fn kept_headers() -> impl Iterator<Item = &'static str> {
    conventions().flat_map(|known| known.kept_headers).copied()
}
