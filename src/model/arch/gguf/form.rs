//! Defines the properties that differ between the GGUF files of different architectures.

use serde_json::{Map, Value};

use super::keys::Keys;
use crate::error::Result;

/// The keys and values of a config.json.
pub(super) type ConfigMap = Map<String, Value>;

/// One architecture, a row of the table in `registry.rs`.
pub(super) struct GgufForm {
    /// `general.architecture`.
    pub(super) name: &'static str,
    /// The corresponding `model_type` in a config.json.
    pub(super) model_type: &'static str,
    /// Other `model_type`s that are stored under the same `general.architecture`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "used only by the test that writes docs/checkpoints.md")
    )]
    pub(super) also: &'static [&'static str],
    /// The key in config.json for the epsilon of the norms.
    pub(super) epsilon: &'static str,
    /// Whether norms are root-mean-square norms.
    pub(super) has_rms_norms: bool,
    /// The key of config.json for the width of the MLP.
    pub(super) d_mlp: &'static str,
    /// Whether config.json has a key for the number of key and value heads.
    pub(super) has_kv_heads: bool,
    /// Whether the two values of a rotary pair are adjacent in the queries and keys of the file. In
    /// safetensors files, they are half a head apart.
    pub(super) is_interleaved: bool,
    /// Converts the remaining keys of the architecture.
    pub(super) rest: fn(&Keys, &mut ConfigMap) -> Result<()>,
}

impl GgufForm {
    /// The values that most architectures have.
    pub(super) const USUAL: Self = Self {
        name: "",
        model_type: "",
        also: &[],
        epsilon: "rms_norm_eps",
        has_rms_norms: true,
        d_mlp: "intermediate_size",
        has_kv_heads: true,
        is_interleaved: false,
        rest: |_, _| Ok(()),
    };
}
