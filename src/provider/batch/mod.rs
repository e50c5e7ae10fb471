//! Batch APIs: many requests are sent at once, are answered within a day, and cost less. Each is a
//! [`BatchWire`], a set of pure functions that render the calls of a batch and read what comes back; a
//! provider names its own in [`super::Provider::batch`].
//!
//! To add one: a file with a [`BatchWire`], its name below, and `batch()` of the providers that have it.

mod anthropic;
mod gemini;
mod openai;
mod wire;

pub use self::anthropic::{AnthropicBatches, VERSION as ANTHROPIC_VERSION};
pub use self::gemini::GeminiBatches;
pub use self::openai::OpenAiBatches;
pub use self::wire::{
    BatchCall, BatchEnd, BatchLimits, BatchPage, BatchRequest, BatchResult, BatchStatus, BatchWire, NewBatch,
    ResultKind,
};
