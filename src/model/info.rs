//! The description of a checkpoint that results carry.

use serde::{Deserialize, Serialize};

use super::arch;
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
    /// `model_type` of config.json; of a model of several parts, the architecture of its text part.
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
    /// Keys of config.json that transformers does not read and that changed nothing.
    #[serde(default)]
    pub ignored_config_keys: Vec<String>,
    /// What a reader of the numbers should know of the config: `unread_key:KEY`, an ignored key that looks
    /// like arithmetic and is switched on; `foreign_code:CLASS`, a class in `auto_map` that may compute
    /// other states; `text_part_of:MODEL_TYPE`, a model of which the text part alone is read.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The precision that the weights were rounded to before they were used.
    #[serde(default)]
    pub dtype: Precision,
    /// The device that it computes on.
    #[serde(default)]
    pub device: Device,
}

impl ModelInfo {
    /// What to say when the model is opened: a note that its user may not need, and warnings.
    pub fn notes(&self) -> (Option<String>, Vec<String>) {
        let id = &self.id;
        let keys = self.ignored_config_keys.join(", ");
        let whole = self.flags.iter().find_map(|flag| flag.strip_prefix("text_part_of:"));
        let part = whole.map(|whole| {
            format!(
                "{id}: the text part of a {whole} is read, as a causal {}; the rest is not",
                self.architecture
            )
        });
        let is_gguf = self.ignored_config_keys.iter().any(|key| arch::gguf::is_key(key));
        let what = if is_gguf { "the file has metadata" } else { "config.json has keys" };
        let reader = if is_gguf { "that are not read" } else { "that transformers does not read" };
        let ignored = (!keys.is_empty()).then(|| format!("{id}: {what} {reader}; ignored: {keys}"));
        let notes: Vec<String> = part.into_iter().chain(ignored).collect();
        let note = (!notes.is_empty()).then(|| notes.join("\n"));
        let warning = |flag: &String| match flag.split_once(':')? {
            ("unread_key", key) if arch::gguf::is_key(key) => Some(format!(
                "warning: {id}: the metadata set `{key}`, which looks like arithmetic; it is not read, and \
                 the states here are as without it"
            )),
            ("unread_key", key) => Some(format!(
                "warning: {id}: config.json sets `{key}`, which looks like arithmetic; transformers does not \
                 read it, and the states here are as without it"
            )),
            ("foreign_code", class) => Some(format!(
                "warning: {id}: config.json was written for code of its own (auto_map: `{class}`); the \
                 states here are those of a causal {}",
                self.architecture
            )),
            _ => None,
        };
        (note, self.flags.iter().filter_map(warning).collect())
    }
}
