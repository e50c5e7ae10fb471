//! A profile: the emergence of one model on one corpus, for every block and reading point, with the randomly initialised
//! random init beside it, as JSON and as tidy CSV rows.
//!
//! `IE_l = macro_l - micro_l`: the mutual information between input and output of block `l` at a token that
//! has seen its window so far, minus the same for that token alone (Chen, Yang, Zhu, Wang, arXiv 2405.12617).
//! All values are in nats.

pub mod compare;
mod control;
mod measure;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::control::measure_beside_control as measure;
pub use self::measure::{Settings, is_current};
use crate::corpus::{Control, Role};
use crate::disk::Schema;
use crate::error::{Error, Result};
use crate::mi::{Estimate, Flag, Scale};
use crate::model::{Bos, ModelCard};

/// Version of the JSON form.
const VERSION: u32 = 2;

/// The emergence of one model on one corpus with one estimator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Form and version of the file.
    pub schema: Schema,
    /// What was measured.
    pub model: ModelCard,
    /// On what.
    pub corpus: CorpusCard,
    /// With what.
    pub estimator: EstimatorCard,
    /// Seed of the randomly initialised model's initial weights.
    pub random_init_seed: u64,
    /// The one number of a single profile; `None` for a model of one block.
    pub headline: Option<Headline>,
    /// One row per block, reading point and noise scale.
    pub blocks: Vec<Reading>,
}

/// The corpus of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusCard {
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
    /// What was asked to begin every window.
    #[serde(default)]
    pub bos: Bos,
    /// What was measured beside it.
    #[serde(default)]
    pub control: Option<Control>,
}

impl CorpusCard {
    /// Tokens per byte of text: how finely the model's tokenizer cuts. `None` in a profile from before bytes
    /// were counted.
    pub fn tokens_per_byte(&self) -> Option<f64> {
        (self.n_bytes > 0).then(|| self.n_tokens as f64 / self.n_bytes as f64)
    }
}

/// The estimator of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EstimatorCard {
    /// Its name.
    pub name: String,
    /// What the spread of a state is measured by.
    pub scale: Scale,
    /// Its settings: for `channel` the precisions b, for others a single 0.
    pub settings: Vec<f64>,
    /// What stands for a token without its context.
    #[serde(default)]
    pub micro: Micro,
    /// Seed of the corpus and of the channel's noise.
    pub seed: u64,
}

/// What stands for a token without its context in micro information.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Micro {
    /// The token alone, in a window of one, pooled over the tokens of the role.
    #[default]
    Alone,
    /// The first token of each window, as the published code of the paper takes it.
    First,
}

impl Micro {
    fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::First => "first",
        }
    }
}

/// Mean emergence over blocks `2..=L` at the last token of the last entity, of texts at the last position.
/// Block 1 is left out because its input knows only its own token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// The estimator's noise scale.
    pub noise_scale: f64,
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

/// One mutual information of a reading, macro or micro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The estimate, the middle of its bounds.
    pub mi_nats: f64,
    /// Lower bound in expectation, if the estimator has one.
    pub lower_nats: Option<f64>,
    /// Upper bound in expectation, if the estimator has one.
    pub upper_nats: Option<f64>,
    /// The least of the ceilings.
    pub ceiling_nats: f64,
    /// Standard error.
    pub stderr_nats: Option<f64>,
    /// What the training data alone would have said beyond what other data bear out, for an estimator that
    /// is fooled by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimism_nats: Option<f64>,
    /// Warnings.
    pub flags: Vec<Flag>,
}

impl From<&Estimate> for Side {
    fn from(estimate: &Estimate) -> Self {
        Self {
            mi_nats: estimate.mi_nats,
            lower_nats: estimate.lower_nats,
            upper_nats: estimate.upper_nats,
            ceiling_nats: estimate.ceiling_nats,
            stderr_nats: estimate.stderr_nats,
            optimism_nats: estimate.optimism_nats,
            flags: estimate.flags.clone(),
        }
    }
}

/// Emergence of one block at one reading point with one noise scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Block, `1..=L`.
    pub block: usize,
    /// Index of the token in its window, where all windows agree.
    pub position: Option<usize>,
    /// What was read.
    pub role: Role,
    /// Which entity it is or follows, of a text which token, from 1.
    pub shot: usize,
    /// Control the row belongs to: `shuffled`, or none for the corpus itself.
    pub control: Option<String>,
    /// The estimator's noise scale.
    pub noise_scale: f64,
    /// A token that has seen its window so far.
    #[serde(rename = "macro")]
    pub macro_mi: Side,
    /// The same token alone, pooled over the reading points of entities or of texts.
    #[serde(rename = "micro")]
    pub micro_mi: Side,
    /// `macro - micro`.
    pub emergence_nats: f64,
    /// Its standard error, in quadrature.
    pub stderr_nats: Option<f64>,
    /// Variance over windows of the macro side's pointwise information, nats squared.
    pub variance_nats2: Option<f64>,
    /// The same reading of the randomly initialised model.
    pub random_init_nats: f64,
    /// `emergence - random init`.
    pub learned_nats: f64,
}

impl Profile {
    /// The headline at some noise scale; `None` if the model has one block or the noise scale was not measured.
    pub fn headline_at(&self, noise_scale: f64) -> Option<Headline> {
        Self::mean_over_depth(noise_scale, self.last_point(noise_scale, None))
    }

    /// What the headline would be of the control alone.
    pub fn control_headline(&self) -> Option<Headline> {
        self.control_headline_at(self.headline?.noise_scale)
    }

    /// The same at some noise scale.
    pub fn control_headline_at(&self, noise_scale: f64) -> Option<Headline> {
        Self::mean_over_depth(noise_scale, self.last_point(noise_scale, Some(self.corpus.control?.name())))
    }

    fn mean_over_depth<'a>(noise_scale: f64, rows: impl Iterator<Item = &'a Reading>) -> Option<Headline> {
        let rows: Vec<_> = rows.filter(|row| row.block >= 2).collect();
        let n = rows.len() as f64;
        let mean = |value: fn(&Reading) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / n;
        let stderrs: Option<Vec<f64>> = rows.iter().map(|row| row.stderr_nats).collect();
        (!rows.is_empty()).then(|| Headline {
            noise_scale,
            emergence_nats: mean(|row| row.emergence_nats),
            stderr_nats: stderrs.map(|stderrs| stderrs.iter().sum::<f64>() / n),
            random_init_nats: mean(|row| row.random_init_nats),
            learned_nats: mean(|row| row.learned_nats),
        })
    }

    /// Slope of emergence at the headline's reading point over relative depth `u = l / L`, by least squares
    /// over all blocks; `None` below two blocks.
    pub fn depth_slope(&self, noise_scale: f64) -> Option<f64> {
        let depth = self.model.n_layers as f64;
        let points: Vec<_> = self
            .last_point(noise_scale, None)
            .map(|row| (row.block as f64 / depth, row.emergence_nats))
            .collect();
        let n = points.len() as f64;
        let (u, ie) =
            (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
        let square: f64 = points.iter().map(|p| (p.0 - u).powi(2)).sum();
        (points.len() >= 2).then(|| points.iter().map(|p| (p.0 - u) * (p.1 - ie)).sum::<f64>() / square)
    }

    fn last_point<'a>(
        &'a self,
        noise_scale: f64,
        control: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Reading> {
        let shots = self.corpus.shots;
        self.blocks.iter().filter(move |row| {
            row.role != Role::Separator
                && row.shot == shots
                && row.noise_scale == noise_scale
                && row.control.as_deref() == control
        })
    }

    /// The widest gap between upper and lower bound over all rows of a noise scale, every block and reading
    /// point.
    pub fn widest_gap_nats(&self, noise_scale: f64) -> f64 {
        let rows = self.blocks.iter().filter(|row| row.noise_scale == noise_scale);
        let sides = rows.flat_map(|row| [&row.macro_mi, &row.micro_mi]);
        sides.filter_map(|side| Some(side.upper_nats? - side.lower_nats?)).fold(0.0, f64::max)
    }

    /// The same over the readings that the headline is made of.
    pub fn headline_gap_nats(&self, noise_scale: f64) -> f64 {
        let rows = self.last_point(noise_scale, None).filter(|row| row.block >= 2);
        let sides = rows.flat_map(|row| [&row.macro_mi, &row.micro_mi]);
        sides.filter_map(|side| Some(side.upper_nats? - side.lower_nats?)).fold(0.0, f64::max)
    }

    /// Reads a profile from JSON.
    ///
    /// # Errors
    /// [`Error::Read`], [`Error::Json`], and [`Error::Parameter`] for a form or version this version does not
    /// know.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read { path: path.into(), source })?;
        let profile: Self =
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.into(), source })?;
        if (profile.schema.name.as_str(), profile.schema.version) != ("profile", VERSION) {
            let reason = format!(
                "of {} is {} version {}, this version of surmise reads profile version {VERSION}",
                path.display(),
                profile.schema.name,
                profile.schema.version
            );
            return Err(Error::Parameter { name: "schema", reason });
        }
        Ok(profile)
    }

    /// The rows of profiles.csv.
    pub fn rows(&self) -> Vec<Row> {
        self.blocks.iter().map(|reading| Row::new(self, reading)).collect()
    }
}

/// One row of profiles.csv.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the columns are the fields of Profile and Reading, named where they are documented"
)]
pub struct Row {
    pub model: String,
    pub family: Option<String>,
    pub architecture: String,
    pub n_params: usize,
    pub corpus: String,
    pub n_windows: usize,
    pub seed: u64,
    pub estimator: String,
    pub scale: Scale,
    pub micro: &'static str,
    pub block: usize,
    pub position: Option<usize>,
    pub role: Role,
    pub shot: usize,
    pub control: Option<String>,
    pub noise_scale: f64,
    pub macro_mi_nats: f64,
    pub macro_lower_nats: Option<f64>,
    pub macro_upper_nats: Option<f64>,
    pub macro_ceiling_nats: f64,
    pub macro_stderr_nats: Option<f64>,
    pub macro_flags: String,
    pub micro_mi_nats: f64,
    pub micro_lower_nats: Option<f64>,
    pub micro_upper_nats: Option<f64>,
    pub micro_ceiling_nats: f64,
    pub micro_stderr_nats: Option<f64>,
    pub micro_flags: String,
    pub emergence_nats: f64,
    pub stderr_nats: Option<f64>,
    pub variance_nats2: Option<f64>,
    pub random_init_nats: f64,
    pub learned_nats: f64,
}

impl Row {
    fn new(profile: &Profile, reading: &Reading) -> Self {
        let (wide, alone) = (&reading.macro_mi, &reading.micro_mi);
        Self {
            model: profile.model.id.clone(),
            family: profile.model.family.clone(),
            architecture: profile.model.architecture.clone(),
            n_params: profile.model.n_params,
            corpus: profile.corpus.name.clone(),
            n_windows: profile.corpus.n_windows,
            seed: profile.estimator.seed,
            estimator: profile.estimator.name.clone(),
            scale: profile.estimator.scale,
            micro: profile.estimator.micro.name(),
            block: reading.block,
            position: reading.position,
            role: reading.role,
            shot: reading.shot,
            control: reading.control.clone(),
            noise_scale: reading.noise_scale,
            macro_mi_nats: wide.mi_nats,
            macro_lower_nats: wide.lower_nats,
            macro_upper_nats: wide.upper_nats,
            macro_ceiling_nats: wide.ceiling_nats,
            macro_stderr_nats: wide.stderr_nats,
            macro_flags: words(&wide.flags),
            micro_mi_nats: alone.mi_nats,
            micro_lower_nats: alone.lower_nats,
            micro_upper_nats: alone.upper_nats,
            micro_ceiling_nats: alone.ceiling_nats,
            micro_stderr_nats: alone.stderr_nats,
            micro_flags: words(&alone.flags),
            emergence_nats: reading.emergence_nats,
            stderr_nats: reading.stderr_nats,
            variance_nats2: reading.variance_nats2,
            random_init_nats: reading.random_init_nats,
            learned_nats: reading.learned_nats,
        }
    }
}

/// Flags as words in one cell, separated by spaces.
fn words(flags: &[Flag]) -> String {
    flags.iter().map(Flag::name).collect::<Vec<_>>().join(" ")
}
