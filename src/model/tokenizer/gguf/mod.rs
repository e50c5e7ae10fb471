//! Reads the tokenizer in the metadata of a GGUF file: byte-level BPE with merges, or a sentencepiece model
//! with scores.
//!
//! # References
//! The keys are interpreted as in llama.cpp (`llama-vocab.cpp`).

mod byte_level;
mod open;
mod pieces;
mod pre_tokenizer;
mod settings;
mod vocabulary;

pub(super) use self::open::{belongs, open};
pub(in crate::model) use self::settings::settings;
