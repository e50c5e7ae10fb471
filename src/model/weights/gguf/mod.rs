//! Reads GGUF, the file format of llama.cpp. A file contains metadata (keys and values) and tensors, most of
//! which are quantised in blocks. This module reads the header; `model::arch::gguf` interprets the metadata.
//!
//! The reader of candle is not used, because it stores every value of an array as an enum, and does not
//! detect duplicate names or overlapping tensors. Only candle's arithmetic for quantised blocks is used.
//!
//! # References
//! The format follows ggml's `docs/gguf.md`, versions 2 and 3.

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
