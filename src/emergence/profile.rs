//! The profile of one model on one corpus with one estimator, as it is stored in JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::block_reading::BlockReading;
use super::profile_settings::ProfileSettings;
use super::store;
use crate::corpus::{CorpusControl, Role};
use crate::disk::Schema;
use crate::error::Result;
use crate::mi::Scale;
use crate::model::{Bos, ModelInfo};

/// The emergence of one model on one corpus with one estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Name and version of the JSON schema.
    pub schema: Schema,
    /// Everything that decides the numbers below.
    pub settings: ProfileSettings,
    /// The model.
    pub model: ModelInfo,
    /// The corpus.
    pub corpus: CorpusInfo,
    /// The estimator.
    pub estimator: EstimatorInfo,
    /// Seed of the randomly initialised model's initial weights.
    pub random_init_seed: u64,
    /// The one number of a single profile; `None` for a model of one block.
    pub headline: Option<Headline>,
    /// One row per block, reading point and noise scale.
    pub blocks: Vec<BlockReading>,
}

/// The corpus of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusInfo {
    /// Its name.
    pub name: String,
    /// SHA-256 of its texts.
    pub sha256: String,
    /// Number of windows.
    pub n_windows: usize,
    /// Distinct windows among them.
    pub n_distinct: usize,
    /// Tokens of the longest window.
    pub window_tokens: usize,
    /// Tokens of all windows, what the tokenizer puts before every text left out.
    #[serde(default)]
    pub n_tokens: usize,
    /// Bytes of text that they spell; 0 where it was not counted.
    #[serde(default)]
    pub n_bytes: usize,
    /// Entities per series, or tokens per window of a text.
    pub shots: usize,
    /// The roles that were read.
    pub roles: Vec<Role>,
    /// Whether special tokens begin every window: [`Bos::On`] or [`Bos::Off`].
    pub bos: Bos,
    /// The control that was measured with it.
    #[serde(default)]
    pub control: Option<CorpusControl>,
}

impl CorpusInfo {
    /// Tokens per byte of text: how finely the model's tokenizer cuts. `None` in a profile from before bytes
    /// were counted.
    pub fn tokens_per_byte(&self) -> Option<f64> {
        (self.n_bytes > 0).then(|| self.n_tokens as f64 / self.n_bytes as f64)
    }
}

/// The estimator of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimatorInfo {
    /// Its name.
    pub name: String,
    /// What the noise is relative to.
    pub scale: Scale,
    /// Its noise scales, for `channel` the precisions b; empty for an estimator that adds no noise.
    pub noise_scales: Vec<f64>,
    /// What stands for a token without its context.
    #[serde(default)]
    pub micro: Micro,
    /// Seed of the corpus and of whatever the estimator draws.
    pub seed: u64,
}

/// The token without its context whose information is the micro information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Micro {
    /// The token alone, in a window of one, pooled over the tokens of the role.
    #[default]
    Alone,
    /// The first token of each window, as the published code of the paper takes it.
    First,
}

impl Micro {
    /// All of them, the default first.
    pub const ALL: [Self; 2] = [Self::Alone, Self::First];

    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::First => "first",
        }
    }

    /// What it is, in a line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Alone => "The token alone, in a window of one, pooled over the tokens of the role",
            Self::First => "The first token of each window, as the published code of the paper takes it",
        }
    }
}

/// Mean emergence over blocks `2..=L` at the last token of the last entity, of texts at the last position.
/// Block 1 is left out because its input knows only its own token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// The estimator's noise scale, if it adds noise.
    pub noise_scale: Option<f64>,
    /// Mean of `IE_l`.
    pub emergence_nats: f64,
    /// Its standard error, if the estimator states one; the blocks share their windows, so their errors are
    /// averaged, not added in quadrature.
    pub stderr_nats: Option<f64>,
    /// The same of the randomly initialised model.
    pub random_init_nats: f64,
    /// The difference: what training added.
    pub learned_nats: f64,
}

impl Profile {
    /// Reads a profile from JSON.
    ///
    /// # Errors
    /// [`crate::Error::Read`], [`crate::Error::Json`], and [`crate::Error::Parameter`] for a schema or
    /// version that is not known.
    pub fn read(path: &Path) -> Result<Self> {
        store::read(path)
    }
}
