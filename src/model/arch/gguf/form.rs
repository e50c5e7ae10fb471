//! What distinguishes one architecture's GGUF files from those of another.

use serde_json::{Map, Value};

use super::keys::Keys;
use crate::error::Result;

/// Keys of a config.json.
pub(super) type ConfigMap = Map<String, Value>;

/// A row of the table of architectures.
pub(super) struct GgufForm {
    /// `general.architecture`.
    pub(super) name: &'static str,
    /// `model_type` of the same models' config.json.
    pub(super) model_type: &'static str,
    /// Those of other models that are stored under the same name.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the page of checkpoints, which a test writes"))]
    pub(super) also: &'static [&'static str],
    /// The key of config.json for what is added to a norm's variance.
    pub(super) epsilon: &'static str,
    /// Whether norms are root-mean-square norms.
    pub(super) has_rms_norms: bool,
    /// The key of config.json for the width of the MLP.
    pub(super) d_mlp: &'static str,
    /// Whether config.json has a key for the number of key and value heads.
    pub(super) has_kv_heads: bool,
    /// Whether the two values of a rotary pair lie side by side in queries and keys; in published weights
    /// they lie half a head apart.
    pub(super) is_interleaved: bool,
    /// What the architecture has beyond that.
    pub(super) rest: fn(&Keys, &mut ConfigMap) -> Result<()>,
}

impl GgufForm {
    /// What most architectures since Llama have in common.
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
