//! The tokenizer in the metadata of a GGUF file: byte-level BPE with its merges, or a sentencepiece model
//! with its scores.
//!
//! # References
//! What the keys mean is what llama.cpp makes of them (`llama-vocab.cpp`).

mod byte_level;
mod open;
mod pieces;
mod pre_tokenizer;
mod settings;
mod vocabulary;

pub(super) use self::open::{belongs, open};
pub(in crate::model) use self::settings::settings;
