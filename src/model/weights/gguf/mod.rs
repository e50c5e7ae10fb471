//! GGUF, the file format of llama.cpp: metadata by name, then tensors, most of them quantised in blocks.
//! The header is read here; what its keys mean for a decoder is in `model::arch::gguf`.
//!
//! candle has a reader of its own, which holds every value of an array in an enumeration and checks neither
//! duplicate names nor tensors that overlap; its arithmetic of the quantised blocks is used.
//!
//! # References
//! The format is that of ggml's `docs/gguf.md`, versions 2 and 3.

mod choice;
mod cursor;
mod file;
mod header;
mod metadata;
mod parts;
mod tensors;
mod value;

pub(in crate::model) use self::choice::{choose, is_gguf, models};
pub use self::file::Gguf;
pub(in crate::model) use self::file::Placed;
#[cfg(feature = "hub")]
pub(in crate::model) use self::file::bytes_of_description;
pub(in crate::model) use self::metadata::Metadata;
pub(in crate::model) use self::parts::PartName;
#[cfg(test)]
pub(in crate::model) use self::tensors::types;
