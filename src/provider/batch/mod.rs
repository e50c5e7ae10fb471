//! Renders the calls of batch APIs and reads the responses. Batch APIs receive many requests at once, answer
//! within a day, and cost less. Each batch API is a [`BatchWire`], a set of pure functions. A provider
//! returns its batch API in [`super::Provider::batch`].
//!
//! To add a batch API, add one file with a [`BatchWire`], re-export its type below, and implement `batch()`
//! in the providers that support it.

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
