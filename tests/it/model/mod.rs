//! Checkpoints, architectures and the hub.

pub mod adapters;
pub mod architectures;
pub mod bad_checkpoints;
pub mod bad_shards;
pub mod bad_tokenizers;
pub mod checkpoints;
pub mod equal_forms;
pub mod experts;
pub mod gguf;
pub mod gguf_bad;
#[cfg(feature = "hub")]
pub mod hub;
#[cfg(feature = "hub")]
pub mod hub_cached;
#[cfg(feature = "hub")]
pub mod hub_faults;
#[cfg(feature = "hub")]
pub mod hub_kinds;
pub mod multimodal;
pub mod parity;
pub mod readme_table;
pub mod real_models;
pub mod second_reference;
pub mod slow;
pub mod tokenizers;
pub mod training;
