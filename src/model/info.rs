//! Defines [`ModelInfo`], the description of a checkpoint in results.

use serde::{Deserialize, Serialize};

use super::arch;
use super::device::Device;
use super::weights::Precision;

/// Description of a checkpoint: its origin, its sizes, and how it was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Name of the model: the last component of the folder's path, the file name of a GGUF file without its
    /// extension, the name of an embedded model, or the id on a hub. A revision other than `main` follows the
    /// id on a hub.
    pub id: String,
    /// The family of the model, if known: models that were trained with the same recipe. Several families can
    /// have the same architecture.
    #[serde(default)]
    pub family: Option<String>,
    /// `model_type` of config.json; for a multimodal model, the architecture of its text part.
    pub architecture: String,
    /// Number of parameters. Weights that the embedding and the head share count once.
    pub n_params: usize,
    /// Number of blocks, L.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// SHA-256 of the weight file. With several files, SHA-256 of their concatenated hexadecimal digests, in
    /// order of file names.
    pub weights_sha256: String,
    /// Keys of config.json that transformers does not read and surmise ignores.
    #[serde(default)]
    pub ignored_config_keys: Vec<String>,
    /// Properties of the config that can affect the results:
    ///
    /// * `unread_key:KEY`: an ignored key looks like a setting of the computation and is switched on.
    /// * `foreign_code:CLASS`: config.json names custom code in `auto_map`, which may compute different
    ///   states.
    /// * `text_part_of:MODEL_TYPE`: the model is multimodal, and only its text part is read.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The precision that the weights were rounded to before use.
    #[serde(default)]
    pub dtype: Precision,
    /// The device that computes the states.
    #[serde(default)]
    pub device: Device,
}

impl ModelInfo {
    /// Messages for the user when the model is opened: an optional note, and warnings.
    pub fn notes(&self) -> (Option<String>, Vec<String>) {
        let id = &self.id;
        let keys = self.ignored_config_keys.join(", ");
        let whole = self.flags.iter().find_map(|flag| flag.strip_prefix("text_part_of:"));
        let part = whole.map(|whole| {
            format!(
                "{id}: surmise reads only the text part of this {whole} model, as a causal decoder of \
                 architecture {}, and ignores the other parts",
                self.architecture
            )
        });
        let is_gguf = self.ignored_config_keys.iter().any(|key| arch::gguf::is_key(key));
        let what = if is_gguf { "the file has metadata" } else { "config.json has keys" };
        let reader = if is_gguf { "that surmise does not read" } else { "that transformers does not read" };
        let ignored = (!keys.is_empty()).then(|| format!("{id}: {what} {reader}; ignored: {keys}"));
        let notes: Vec<String> = part.into_iter().chain(ignored).collect();
        let note = (!notes.is_empty()).then(|| notes.join("\n"));
        let warning = |flag: &String| match flag.split_once(':')? {
            ("unread_key", key) if arch::gguf::is_key(key) => Some(format!(
                "warning: {id}: the metadata set `{key}`, which looks like a setting of the computation; \
                 surmise does not read it, and the states are computed without it"
            )),
            ("unread_key", key) => Some(format!(
                "warning: {id}: config.json sets `{key}`, which looks like a setting of the computation; \
                 transformers does not read it, and the states are computed without it"
            )),
            ("foreign_code", class) => Some(format!(
                "warning: {id}: config.json names custom model code (auto_map: `{class}`), which surmise \
                 does not run; the states are computed as for a causal decoder of architecture {}",
                self.architecture
            )),
            _ => None,
        };
        (note, self.flags.iter().filter_map(warning).collect())
    }
}
