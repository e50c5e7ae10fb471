//! How a checkpoint is opened.

use super::device::Device;
use super::tokenizer::Bos;
use super::weights::Precision;

/// How a checkpoint is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelOptions {
    /// The precision that the weights are rounded to.
    pub dtype: Precision,
    /// The tokens put before every text.
    pub bos: Bos,
    /// The device that it computes on.
    pub device: Device,
    /// The most memory for weights and states. States beyond it are kept in a temporary file; weights beyond
    /// it stay in their own, and each block is read when it is needed.
    pub max_memory_bytes: Option<u64>,
    /// The limit holds for the model and its random init together: both are kept so that both fit.
    pub with_random_init: bool,
    /// Keys of config.json that foreign code may read and that are known to change no state.
    pub allow_config_keys: Vec<String>,
}
