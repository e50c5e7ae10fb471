//! Renders requests to closed models and reads their answers, in the wire format of each provider. A wire
//! format has two pure functions: one renders a request, the other reads an answer. These functions use no
//! network, clock or key, so stored raw answers can be read again offline.
//!
//! To add a wire format, add one file with a [`Provider`], one row in [`ALL`], and its golden bodies in
//! `tests/golden/providers`.

mod answer;
mod anthropic;
pub mod batch;
pub mod body_json;
mod body_merge;
mod chat_form;
mod conventions;
mod failure;
mod failure_class;
mod finish_reason;
mod gemini;
mod generation_params;
mod headers;
pub(crate) mod json;
mod ollama;
mod openai;
mod openai_chat;
mod openai_completions;
mod openai_responses;
mod rate_limit;
mod read;
mod reasoning;
mod registry;
mod request;
mod stream;
mod text;
mod wire_format;
mod wordings;

pub use self::answer::{Answer, Billing, Outcome, TokenLogprob, Usage};
pub use self::conventions::{Conventions, KeyPattern, WindowHeaders};
pub use self::failure::ErrorClassifier;
pub use self::failure_class::{Failure, FailureClass, FilterSide};
pub use self::finish_reason::Finish;
pub use self::generation_params::{CHAT_MAX_TOKENS, Capabilities, GenerationParams, MaxTokensKey};
pub use self::headers::Headers;
pub use self::openai_chat::OpenAiChat;
pub use self::rate_limit::RateLimitInfo;
pub use self::read::read;
pub use self::reasoning::ReasoningEffort;
pub use self::registry::{ALL, find, kept_headers, key_headers, key_patterns};
pub use self::request::{KeyHeader, Message, Prompt, Request, Role, WireRequest};
pub use self::wire_format::Provider;
