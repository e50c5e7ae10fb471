//! Implements published architectures, one per file. An architecture converts a config.json to a
//! [`Spec`](super::spec::Spec) and lists the names of its tensors.
//!
//! To add an architecture, write a file in this folder and a row in `registry.rs`, and add its config keys by
//! running `scripts/config_keys.py`. If the decoder does not support the effect of a config key, an error
//! names the key, because ignoring it would silently give wrong states. Keys that neither the decoder nor
//! transformers reads are reported and stored with the results.

mod arcee;
mod architecture;
mod bloom;
mod cohere;
mod cohere2;
mod config;
mod config_keys;
mod cwm;
mod dots1;
mod ernie4_5;
mod ernie4_5_moe;
mod exaone;
mod exaone4;
mod falcon;
mod flex_olmo;
mod gemma;
mod gemma2;
mod gemma3;
pub(in crate::model) mod gguf;
mod glm;
mod glm4;
mod glm4_moe;
mod gpt2;
mod gpt_bigcode;
mod gpt_neo;
mod gpt_neox;
mod gpt_oss;
mod gptj;
mod granite;
mod granitemoe;
mod granitemoeshared;
mod helium;
mod hunyuan_v1_dense;
mod hunyuan_v1_moe;
mod hyperclovax;
mod internlm2;
mod internlm3;
mod iquestcoder;
mod jais2;
mod llama;
mod load;
mod load_experts;
mod loader;
mod minimax_m2;
mod ministral;
mod ministral3;
mod mistral;
mod mixtral;
mod mixture;
mod mpt;
mod multimodal;
mod nemotron;
mod olmo;
mod olmo2;
mod olmo3;
mod olmoe;
mod opt;
mod phi;
mod phi3;
mod qwen2;
mod qwen2_moe;
mod qwen3;
mod qwen3_moe;
mod registry;
mod rotary;
mod rotary_scaling;
mod seed_oss;
mod sliding_window;
mod smollm3;
mod stablelm;
mod starcoder2;
mod stream;
mod tensor_names;
mod unread_keys;
mod unsupported;
mod vaultgemma;

pub use self::architecture::Architecture;
pub use self::config::Config;
pub use self::multimodal::{MULTIMODAL, Multimodal, text_config};
pub use self::registry::{ALL, read};
pub use self::tensor_names::{TensorNames, TensorPrefixes};
pub use self::unread_keys::{UnreadKeys, unread_keys};
#[cfg(test)]
pub(in crate::model) use self::unsupported::KINDS;
