//! The description of a checkpoint that results carry.

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::weights::Precision;

/// What a checkpoint is: where it comes from, its sizes, and how it was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The folder's last component, the embedded name, or the id on a hub with its revision unless that is
    /// `main`.
    pub id: String,
    /// The recipe it belongs to, if it is known. It is not the architecture.
    #[serde(default)]
    pub family: Option<String>,
    /// `model_type` of config.json.
    pub architecture: String,
    /// Parameters; a tied head counts once.
    pub n_params: usize,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// SHA-256 of the file of weights; of several, of their hexadecimal digests one after the other, in
    /// order of their names.
    pub weights_sha256: String,
    /// The precision that the weights were rounded to before they were used.
    #[serde(default)]
    pub dtype: Precision,
    /// The device that it computes on.
    #[serde(default)]
    pub device: Device,
}
