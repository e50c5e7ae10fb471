//! Batch APIs, which receive many requests at once, answer within a day, and cost less. Each is a
//! [`BatchWire`]: a set of pure functions that render the calls of a batch and read the responses. A provider
//! returns its batch API in [`super::Provider::batch`].
//!
//! To add a batch API, add one file with a [`BatchWire`], its name below, and `batch()` in the providers that
//! support it.

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
