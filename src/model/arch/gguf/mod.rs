//! Converts GGUF files: the metadata are converted to the equivalent config.json, so that the same function
//! builds the spec for both formats, and tensors get the names and layouts of safetensors files. To add an
//! architecture, add a row to `registry.rs`.
//!
//! # References
//! The names, and the differences from the layouts of safetensors files, follow llama.cpp's
//! `convert_hf_to_gguf.py` and the `gguf` package.

mod config;
mod experts;
mod falcon;
mod form;
mod gemma;
mod keys;
mod kind;
mod names;
mod registry;
mod rope;
mod scales;
mod tensors;
mod variants;

pub(in crate::model) use self::config::config;
pub(in crate::model) use self::names::tensor_names;
pub(in crate::model) use self::registry::is_key;
#[cfg(test)]
pub(in crate::model) use self::registry::names_of;
pub(in crate::model) use self::tensors::checkpoint;
