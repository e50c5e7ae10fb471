//! Loads language models and extracts residual streams.
//!
//! A model is named by a folder in the layout of Hugging Face transformers, a GGUF file, an id on a hub, or
//! the name of an embedded model. A loaded model consists of a decoder and a tokenizer. This module uses
//! candle tensors internally and returns `ndarray` arrays.

pub mod arch;
mod attention_form;
pub mod batch;
pub mod block_parameters;
pub mod blocks;
mod buffers;
pub mod cache;
pub(crate) mod chat;
#[cfg(test)]
mod checkpoints_page;
pub mod decoder;
mod description;
mod device;
mod embedded;
mod feed_forward;
mod files;
mod full_model;
mod fused;
mod fused_ops;
pub mod hub;
mod info;
mod loaded_decoder;
mod memory;
mod missing;
mod opened_files;
pub mod ops;
mod options;
mod parameter_count;
pub mod parameters;
mod prompt_states;
pub mod spec;
pub mod state_file;
pub mod states;
mod store;
pub mod table;
mod tensor_values;
pub mod tokenizer;
pub mod weights;

pub use self::chat::{ChatFiles, ChatMessage, ChatTemplate};
pub use self::description::Description;
pub use self::device::Device;
pub(crate) use self::embedded::checkpoint;
pub use self::embedded::{FACT_FAMILIES, FAMILY, Member, embedded};
pub use self::full_model::{Model, random_init};
pub use self::info::ModelInfo;
pub use self::loaded_decoder::LoadedDecoder;
pub use self::memory::parse_bytes;
pub use self::options::ModelOptions;
pub use self::prompt_states::PromptStates;
pub use self::states::{Point, States};
pub use self::tokenizer::{Bos, Tokenizer};
pub use self::weights::Precision;
