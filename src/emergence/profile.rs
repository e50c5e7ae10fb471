//! The profile of one model on one corpus with one estimator, as stored in JSON.

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
    /// All settings that determine the results.
    pub settings: ProfileSettings,
    /// The model.
    pub model: ModelInfo,
    /// The corpus.
    pub corpus: CorpusInfo,
    /// The estimator.
    pub estimator: EstimatorInfo,
    /// Seed of the weights of the randomly initialised model.
    pub random_init_seed: u64,
    /// The headline of the profile; `None` for a model with one block.
    pub headline: Option<Headline>,
    /// One row per block, reading point and noise scale.
    pub blocks: Vec<BlockReading>,
}

/// The corpus of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusInfo {
    /// The name of the corpus.
    pub name: String,
    /// SHA-256 of the texts of the corpus.
    pub sha256: String,
    /// Number of windows.
    pub n_windows: usize,
    /// Number of distinct windows.
    pub n_distinct: usize,
    /// Number of tokens in the longest window.
    pub window_tokens: usize,
    /// Number of tokens in all windows, without the prefix that the tokenizer adds.
    #[serde(default)]
    pub n_tokens: usize,
    /// Number of bytes of text in all windows; 0 if not counted.
    #[serde(default)]
    pub n_bytes: usize,
    /// Number of entities per series, or of tokens per window of a text.
    pub shots: usize,
    /// The roles of the reading points.
    pub roles: Vec<Role>,
    /// Whether every window begins with special tokens: [`Bos::On`] or [`Bos::Off`].
    pub bos: Bos,
    /// The control that was measured in addition, if any.
    #[serde(default)]
    pub control: Option<CorpusControl>,
}

impl CorpusInfo {
    /// Tokens per byte of text, which shows how finely the tokenizer splits text. `None` in old profiles,
    /// which do not count bytes.
    pub fn tokens_per_byte(&self) -> Option<f64> {
        (self.n_bytes > 0).then(|| self.n_tokens as f64 / self.n_bytes as f64)
    }
}

/// The estimator of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimatorInfo {
    /// The name of the estimator.
    pub name: String,
    /// The scale of the states to which the noise is relative.
    pub scale: Scale,
    /// The noise scales, which for `channel` are the precisions `b`; empty if the estimator adds no noise.
    pub noise_scales: Vec<f64>,
    /// Which token serves as the token without context.
    #[serde(default)]
    pub micro: Micro,
    /// Seed of the corpus and of the estimator.
    pub seed: u64,
}

/// The choice of the token without context, whose information is the micro information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Micro {
    /// A token that is alone in its window. The micro information is pooled over the tokens at the reading
    /// points of entities or of texts.
    #[default]
    Alone,
    /// The first token of each window, as in the published code of Chen et al.
    First,
}

impl Micro {
    /// All choices, the default first.
    pub const ALL: [Self; 2] = [Self::Alone, Self::First];

    /// The name of the choice in files and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::First => "first",
        }
    }

    /// Describes the choice in one line.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Alone => "The token alone in its window, pooled over the tokens of the role",
            Self::First => "The first token of each window, as in the published code of Chen et al.",
        }
    }
}

/// Mean emergence over blocks `2..=L` at the last token of the last entity, or at the last position of texts.
/// Block 1 is excluded because its input carries no context.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// The estimator's noise scale, if it adds noise.
    pub noise_scale: Option<f64>,
    /// Mean of `IE_l`.
    pub emergence_nats: f64,
    /// Standard error of the mean, if the estimator has one. All blocks use the same windows, so their errors
    /// are averaged rather than added in quadrature.
    pub stderr_nats: Option<f64>,
    /// Mean emergence of the randomly initialised model.
    pub random_init_nats: f64,
    /// Mean emergence of the trained model minus mean emergence of the randomly initialised model: the effect
    /// of training.
    pub learned_nats: f64,
}

impl Profile {
    /// Reads a profile from JSON.
    ///
    /// # Errors
    /// [`crate::Error::Read`], [`crate::Error::Json`], and [`crate::Error::Parameter`] for an unknown schema
    /// or version.
    pub fn read(path: &Path) -> Result<Self> {
        store::read(path)
    }
}
