//! Defines the options for opening a checkpoint.

use super::device::Device;
use super::tokenizer::Bos;
use super::weights::Precision;

/// How a checkpoint is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// The precision that the weights are rounded to.
    pub dtype: Precision,
    /// The tokens prepended to every text.
    pub bos: Bos,
    /// The device that computes the states.
    pub device: Device,
    /// Maximum memory for weights and states, in bytes. States above the limit go to a temporary file.
    /// Weights above the limit stay in their file, and each block is read when needed.
    pub max_memory_bytes: Option<u64>,
    /// Whether the memory limit applies to the model and its randomly initialised model together.
    pub with_random_init: bool,
    /// Keys of config.json to ignore without an error: custom model code may read them, but the user declares
    /// that they do not affect the states.
    pub allow_config_keys: Vec<String>,
}
