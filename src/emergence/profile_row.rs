//! Defines the rows of profiles.csv, and how positional profiles are stored in a folder.

use serde::{Deserialize, Serialize};

use super::block_reading::{BlockFlag, BlockReading};
use super::profile::{Micro, Profile};
use super::profile_settings::ProfileSettings;
use super::store::{ProfileStore, StoredProfile};
use crate::corpus::Role;
use crate::disk::Schema;
use crate::mi::{Flag, Scale};
use crate::model::ModelInfo;

/// One row of profiles.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are fields of Profile and BlockReading, which document them")]
pub struct ProfileRow {
    pub model: String,
    pub family: Option<String>,
    #[serde(default)]
    pub architecture: String,
    pub n_params: usize,
    pub corpus: String,
    pub n_windows: usize,
    #[serde(default)]
    pub seed: u64,
    pub estimator: String,
    pub scale: Scale,
    #[serde(default)]
    pub micro: Micro,
    pub block: usize,
    pub position: Option<usize>,
    pub role: Role,
    pub reading_index: usize,
    pub control: Option<String>,
    pub noise_scale: Option<f64>,
    #[serde(default = "missing")]
    pub macro_mi_nats: f64,
    pub macro_lower_nats: Option<f64>,
    pub macro_upper_nats: Option<f64>,
    #[serde(default = "missing")]
    pub macro_ceiling_nats: f64,
    pub macro_stderr_nats: Option<f64>,
    #[serde(default)]
    pub macro_flags: String,
    #[serde(default = "missing")]
    pub micro_mi_nats: f64,
    pub micro_lower_nats: Option<f64>,
    pub micro_upper_nats: Option<f64>,
    #[serde(default = "missing")]
    pub micro_ceiling_nats: f64,
    pub micro_stderr_nats: Option<f64>,
    #[serde(default)]
    pub micro_flags: String,
    pub emergence_nats: f64,
    pub stderr_nats: Option<f64>,
    pub variance_nats2: Option<f64>,
    pub random_init_nats: f64,
    pub learned_nats: f64,
    #[serde(default)]
    pub blocks: usize,
    #[serde(default)]
    pub shots: usize,
    #[serde(default)]
    pub dtype: String,
    #[serde(default)]
    pub bos: String,
    #[serde(default)]
    pub weights_sha256: String,
    #[serde(default)]
    pub corpus_sha256: String,
    #[serde(default)]
    pub n_distinct: Option<usize>,
    #[serde(default)]
    pub is_headline: bool,
    #[serde(default)]
    pub position_0_norm_ratio: Option<f64>,
    #[serde(default)]
    pub flags: String,
    /// The file name of the profile without its extension. It is the same for all rows of a profile.
    #[serde(default)]
    pub profile: String,
    /// The version of surmise that measured the profile.
    #[serde(default)]
    pub version: String,
}

/// The value of a missing column. A report can therefore read a file without the columns that the report does
/// not use.
fn missing() -> f64 {
    f64::NAN
}

impl ProfileRow {
    /// The columns that identify the profile of the row and its settings.
    pub fn settings(&self) -> ProfileSettings {
        ProfileSettings::new([
            ("weights_sha256", self.weights_sha256.clone()),
            ("corpus_sha256", self.corpus_sha256.clone()),
            ("dtype", self.dtype.clone()),
            ("bos", self.bos.clone()),
            ("n_windows", self.n_windows.to_string()),
            ("shots", self.shots.to_string()),
            ("seed", self.seed.to_string()),
            ("estimator", self.estimator.clone()),
            ("scale", self.scale.name().to_owned()),
            ("micro", self.micro.name().to_owned()),
            ("profile", self.profile.clone()),
        ])
    }

    fn new(profile: &Profile, reading: &BlockReading) -> Self {
        let BlockReading { macro_mi, micro_mi, .. } = reading;
        Self {
            model: profile.model.id.clone(),
            family: profile.model.family.clone(),
            architecture: profile.model.architecture.clone(),
            n_params: profile.model.n_params,
            blocks: profile.model.n_layers,
            dtype: profile.model.dtype.name().into(),
            weights_sha256: profile.model.weights_sha256.clone(),
            corpus: profile.corpus.name.clone(),
            corpus_sha256: profile.corpus.sha256.clone(),
            bos: profile.corpus.bos.name().into(),
            n_windows: profile.corpus.n_windows,
            n_distinct: Some(profile.corpus.n_distinct),
            shots: profile.corpus.shots,
            seed: profile.estimator.seed,
            estimator: profile.estimator.name.clone(),
            scale: profile.estimator.scale,
            micro: profile.estimator.micro,
            block: reading.block,
            position: reading.position,
            role: reading.role,
            reading_index: reading.reading_index,
            control: reading.control.clone(),
            noise_scale: reading.noise_scale,
            is_headline: profile.is_headline(reading),
            macro_mi_nats: macro_mi.mi_nats,
            macro_lower_nats: macro_mi.lower_nats,
            macro_upper_nats: macro_mi.upper_nats,
            macro_ceiling_nats: macro_mi.ceiling_nats,
            macro_stderr_nats: macro_mi.stderr_nats,
            macro_flags: words(&macro_mi.flags),
            micro_mi_nats: micro_mi.mi_nats,
            micro_lower_nats: micro_mi.lower_nats,
            micro_upper_nats: micro_mi.upper_nats,
            micro_ceiling_nats: micro_mi.ceiling_nats,
            micro_stderr_nats: micro_mi.stderr_nats,
            micro_flags: words(&micro_mi.flags),
            emergence_nats: reading.emergence_nats,
            stderr_nats: reading.stderr_nats,
            variance_nats2: reading.variance_nats2,
            random_init_nats: reading.random_init_nats,
            learned_nats: reading.learned_nats,
            position_0_norm_ratio: reading.position_0_norm_ratio,
            flags: reading.flags.iter().map(BlockFlag::name).collect::<Vec<_>>().join(" "),
            profile: ProfileStore::stem(&profile.model.id, &profile.corpus.name, &profile.settings),
            version: profile.schema.tool_version.clone(),
        }
    }
}

impl Profile {
    /// The rows of profiles.csv.
    pub fn rows(&self) -> Vec<ProfileRow> {
        self.blocks.iter().map(|reading| ProfileRow::new(self, reading)).collect()
    }
}

impl StoredProfile for Profile {
    const ESTIMAND: &'static str = "positional";
    const SCHEMA: &'static str = "profile";
    const VERSION: u32 = 3;
    const OLDER: &'static str = "version 3 adds `settings`, and version 2 renamed setting, twin_nats and \
                                 shot to noise_scale, random_init_nats and reading_index; measure again into \
                                 another folder";
    const TABLE: &'static str = "profiles.csv";
    type Row = ProfileRow;

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn model(&self) -> &ModelInfo {
        &self.model
    }

    fn model_mut(&mut self) -> &mut ModelInfo {
        &mut self.model
    }

    fn corpus_name(&self) -> &str {
        &self.corpus.name
    }

    fn settings(&self) -> &ProfileSettings {
        &self.settings
    }

    fn rows(&self) -> Vec<ProfileRow> {
        self.rows()
    }
}

/// Joins flags with spaces, for one cell of the table.
fn words(flags: &[Flag]) -> String {
    flags.iter().map(Flag::name).collect::<Vec<_>>().join(" ")
}
