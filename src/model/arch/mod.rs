//! Published architectures, one per file: a config.json becomes a [`Spec`](super::spec::Spec), and a table
//! says what the tensors are called. To add one, write a file beside these and a row in `registry.rs`, and
//! let
//! `scripts/config_keys.py` look up its keys. A config key that asks for something the decoder cannot do is
//! refused by name: ignored, it would give wrong states without an error. One that transformers does not read
//! either is named and stored with the results.

mod architecture;
mod bloom;
mod config;
mod config_keys;
mod falcon;
mod gemma;
mod gemma2;
mod gemma3;
pub(in crate::model) mod gguf;
mod gpt2;
mod gpt_neo;
mod gpt_neox;
mod gptj;
mod granite;
mod llama;
mod load;
mod mistral;
mod olmo;
mod olmo2;
mod opt;
mod phi;
mod phi3;
mod qwen2;
mod qwen3;
mod registry;
mod rotary;
mod rotary_scaling;
mod sliding_window;
mod smollm3;
mod stablelm;
mod starcoder2;
mod tensor_names;
mod unread_keys;

pub use self::architecture::Architecture;
pub use self::config::Config;
pub use self::registry::{ALL, read};
pub use self::tensor_names::TensorNames;
pub use self::unread_keys::{UnreadKeys, unread_keys};
