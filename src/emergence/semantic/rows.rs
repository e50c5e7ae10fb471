//! Converts a semantic profile to CSV rows. profiles.csv has one row for each number of shots and block, at
//! the default noise scale. readings.csv has all noise scales and controls. summaries.csv has one row for
//! each number of shots.

use serde::{Deserialize, Serialize};

use super::depth::WithError;
use super::profile::SemanticProfile;
use super::reading::{Init, SemanticControl, SemanticReading};
use crate::disk::Schema;
use crate::emergence::profile_settings::ProfileSettings;
use crate::emergence::store::{ProfileStore, StoredProfile};
use crate::model::ModelInfo;

/// One row of profiles.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are the fields of SemanticReading, which documents them")]
pub struct SemanticRow {
    pub model: String,
    pub family: Option<String>,
    pub n_params: usize,
    pub corpus: String,
    pub shots: usize,
    pub block: usize,
    pub blocks: usize,
    pub macro_share: f64,
    pub macro_share_stderr: Option<f64>,
    pub macro_nats: f64,
    pub macro_nats_stderr: Option<f64>,
    pub micro_nats: Option<f64>,
    pub micro_nats_stderr: Option<f64>,
    pub emergence_nats: Option<f64>,
    pub emergence_nats_stderr: Option<f64>,
    pub output_share: Option<f64>,
    pub output_share_stderr: Option<f64>,
    pub macro_share_random_init: Option<f64>,
    pub macro_share_random_init_stderr: Option<f64>,
    pub macro_share_permuted_relations: Option<f64>,
    pub macro_share_no_shared_answer: Option<f64>,
    pub macro_share_no_shared_answer_random_init: Option<f64>,
    pub macro_share_permuted_answers: Option<f64>,
    pub macro_share_foreign_query: Option<f64>,
    pub macro_share_half_sets: Option<f64>,
    pub micro_nats_half_sets: Option<f64>,
    pub mean_power_share: Option<f64>,
    pub noise_scale: f64,
    pub sets: usize,
    pub queries: usize,
    pub relations: usize,
    pub seed: u64,
    pub is_headline: bool,
    #[serde(default)]
    pub form: String,
    #[serde(default)]
    pub bos: String,
    #[serde(default)]
    pub dtype: String,
    #[serde(default)]
    pub weights_sha256: String,
    #[serde(default)]
    pub corpus_sha256: String,
    /// The file name of the profile without its extension. It depends on the settings of the profile.
    #[serde(default)]
    pub profile: String,
    /// The version of surmise that measured the profile.
    #[serde(default)]
    pub version: String,
}

/// One row of readings.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are the fields of SemanticReading, which documents them")]
pub struct ReadingRow {
    pub model: String,
    pub corpus: String,
    pub shots: usize,
    pub block: usize,
    pub blocks: usize,
    pub init: Init,
    pub control: Option<SemanticControl>,
    pub noise_scale: f64,
    pub sets: usize,
    pub macro_share: f64,
    pub macro_share_stderr: Option<f64>,
    pub macro_nats: f64,
    pub macro_nats_stderr: Option<f64>,
    pub micro_nats: Option<f64>,
    pub micro_nats_stderr: Option<f64>,
    pub emergence_nats: Option<f64>,
    pub emergence_nats_stderr: Option<f64>,
    pub output_share: Option<f64>,
    pub output_share_stderr: Option<f64>,
    pub temperature: Option<f64>,
    pub mean_power_share: Option<f64>,
    pub compared_share: Option<f64>,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub form: String,
    #[serde(default)]
    pub bos: String,
    #[serde(default)]
    pub dtype: String,
    #[serde(default)]
    pub weights_sha256: String,
    #[serde(default)]
    pub corpus_sha256: String,
    /// The file name of the profile without its extension. It depends on the settings of the profile.
    #[serde(default)]
    pub profile: String,
    /// The version of surmise that measured the profile.
    #[serde(default)]
    pub version: String,
}

/// One row of summaries.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the columns are the fields of ShotSummary, which documents them")]
pub struct SummaryRow {
    pub model: String,
    pub family: Option<String>,
    pub n_params: usize,
    pub corpus: String,
    pub shots: usize,
    pub accuracy: Option<f64>,
    pub accuracy_stderr: Option<f64>,
    pub logprob_nats: Option<f64>,
    pub logprob_nats_stderr: Option<f64>,
    pub output_share: Option<f64>,
    pub output_share_stderr: Option<f64>,
    pub share_quarter: Option<f64>,
    pub share_quarter_stderr: Option<f64>,
    pub share_half: Option<f64>,
    pub share_half_stderr: Option<f64>,
    pub share_three_quarters: Option<f64>,
    pub share_three_quarters_stderr: Option<f64>,
    pub share_last: Option<f64>,
    pub share_last_stderr: Option<f64>,
    pub share_mean: Option<f64>,
    pub share_mean_stderr: Option<f64>,
    pub onset: Option<f64>,
    pub micro_nats_mean: Option<f64>,
    pub micro_nats_mean_stderr: Option<f64>,
    pub emergence_nats_mean: Option<f64>,
    pub emergence_nats_mean_stderr: Option<f64>,
    pub share_mean_random_init: Option<f64>,
    pub share_mean_random_init_stderr: Option<f64>,
    pub share_mean_above_random_init: Option<f64>,
    pub share_mean_above_random_init_stderr: Option<f64>,
    pub share_mean_change: Option<f64>,
    pub share_mean_change_stderr: Option<f64>,
    pub share_last_change: Option<f64>,
    pub share_last_change_stderr: Option<f64>,
    pub noise_scale: f64,
    pub sets: usize,
    pub queries: usize,
    pub overlap: f64,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub form: String,
    #[serde(default)]
    pub bos: String,
    #[serde(default)]
    pub dtype: String,
    #[serde(default)]
    pub weights_sha256: String,
    #[serde(default)]
    pub corpus_sha256: String,
    /// The file name of the profile without its extension. It depends on the settings of the profile.
    #[serde(default)]
    pub profile: String,
    /// The version of surmise that measured the profile.
    #[serde(default)]
    pub version: String,
}

impl StoredProfile for SemanticProfile {
    const ESTIMAND: &'static str = "semantic";
    const SCHEMA: &'static str = "semantic-profile";
    const VERSION: u32 = 1;
    const OLDER: &'static str = "measure again into another folder";
    const TABLE: &'static str = "profiles.csv";
    type Row = SemanticRow;

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

    fn rows(&self) -> Vec<SemanticRow> {
        self.rows()
    }
}

impl SemanticProfile {
    /// The file name of the profile without its extension.
    fn stem(&self) -> String {
        ProfileStore::stem(&self.model.id, &self.corpus.name, &self.settings)
    }

    /// The rows of profiles.csv.
    pub fn rows(&self) -> Vec<SemanticRow> {
        let b = self.default_noise_scale;
        let at_default = |reading: &&SemanticReading| reading.noise_scale == b;
        let most = self.shots.last().map_or(0, |summary| summary.shots);
        let row = |own: &SemanticReading| {
            let find = |init: Init, control: Option<SemanticControl>| {
                let is_wanted = |other: &&SemanticReading| {
                    (other.shots, other.block, other.init, other.control)
                        == (own.shots, own.block, init, control)
                };
                self.readings.iter().filter(at_default).find(is_wanted)
            };
            let share = |init, control| find(init, control).map(|reading| reading.macro_share);
            let random_init = find(Init::RandomInit, None);
            let half = find(Init::Trained, Some(SemanticControl::HalfSets));
            SemanticRow {
                model: self.model.id.clone(),
                family: self.model.family.clone(),
                n_params: self.model.n_params,
                corpus: self.corpus.name.clone(),
                shots: own.shots,
                block: own.block,
                blocks: self.model.n_layers,
                macro_share: own.macro_share,
                macro_share_stderr: own.macro_share_stderr,
                macro_nats: own.macro_nats,
                macro_nats_stderr: own.macro_nats_stderr,
                micro_nats: own.micro_nats,
                micro_nats_stderr: own.micro_nats_stderr,
                emergence_nats: own.emergence_nats,
                emergence_nats_stderr: own.emergence_nats_stderr,
                output_share: own.output_share,
                output_share_stderr: own.output_share_stderr,
                macro_share_random_init: random_init.map(|reading| reading.macro_share),
                macro_share_random_init_stderr: random_init.and_then(|reading| reading.macro_share_stderr),
                macro_share_permuted_relations: share(
                    Init::Trained,
                    Some(SemanticControl::PermutedRelations),
                ),
                macro_share_no_shared_answer: share(Init::Trained, Some(SemanticControl::NoSharedAnswer)),
                macro_share_no_shared_answer_random_init: share(
                    Init::RandomInit,
                    Some(SemanticControl::NoSharedAnswer),
                ),
                macro_share_permuted_answers: share(Init::Trained, Some(SemanticControl::PermutedAnswers)),
                macro_share_foreign_query: share(Init::Trained, Some(SemanticControl::ForeignQuery)),
                macro_share_half_sets: half.map(|reading| reading.macro_share),
                micro_nats_half_sets: half.and_then(|reading| reading.micro_nats),
                mean_power_share: own.mean_power_share,
                noise_scale: own.noise_scale,
                sets: self.corpus.sets,
                queries: self.corpus.queries,
                relations: self.corpus.relations.len(),
                seed: self.seed,
                is_headline: own.shots == most && own.block >= 2,
                form: self.corpus.form.clone(),
                bos: self.corpus.bos.name().into(),
                dtype: self.model.dtype.name().into(),
                weights_sha256: self.model.weights_sha256.clone(),
                corpus_sha256: self.corpus.sha256.clone(),
                profile: self.stem(),
                version: self.schema.tool_version.clone(),
            }
        };
        let own = self.readings.iter().filter(at_default);
        own.filter(|own| own.init == Init::Trained && own.control.is_none()).map(row).collect()
    }

    /// The rows of readings.csv.
    pub fn reading_rows(&self) -> Vec<ReadingRow> {
        let row = |own: &SemanticReading| ReadingRow {
            model: self.model.id.clone(),
            corpus: self.corpus.name.clone(),
            shots: own.shots,
            block: own.block,
            blocks: self.model.n_layers,
            init: own.init,
            control: own.control,
            noise_scale: own.noise_scale,
            sets: own.sets,
            macro_share: own.macro_share,
            macro_share_stderr: own.macro_share_stderr,
            macro_nats: own.macro_nats,
            macro_nats_stderr: own.macro_nats_stderr,
            micro_nats: own.micro_nats,
            micro_nats_stderr: own.micro_nats_stderr,
            emergence_nats: own.emergence_nats,
            emergence_nats_stderr: own.emergence_nats_stderr,
            output_share: own.output_share,
            output_share_stderr: own.output_share_stderr,
            temperature: own.temperature,
            mean_power_share: own.mean_power_share,
            compared_share: own.compared_share,
            seed: self.seed,
            form: self.corpus.form.clone(),
            bos: self.corpus.bos.name().into(),
            dtype: self.model.dtype.name().into(),
            weights_sha256: self.model.weights_sha256.clone(),
            corpus_sha256: self.corpus.sha256.clone(),
            profile: self.stem(),
            version: self.schema.tool_version.clone(),
        };
        self.readings.iter().map(row).collect()
    }

    /// The rows of summaries.csv.
    pub fn summary_rows(&self) -> Vec<SummaryRow> {
        let value = |of: Option<WithError>| of.map(|of| of.value);
        let stderr = |of: Option<WithError>| of.and_then(|of| of.stderr);
        let row = |(own, design): (&super::summary::ShotSummary, &super::profile::ShotInfo)| SummaryRow {
            model: self.model.id.clone(),
            family: self.model.family.clone(),
            n_params: self.model.n_params,
            corpus: self.corpus.name.clone(),
            shots: own.shots,
            accuracy: value(own.accuracy),
            accuracy_stderr: stderr(own.accuracy),
            logprob_nats: value(own.logprob_nats),
            logprob_nats_stderr: stderr(own.logprob_nats),
            output_share: value(own.output_share),
            output_share_stderr: stderr(own.output_share),
            share_quarter: value(own.share_quarter),
            share_quarter_stderr: stderr(own.share_quarter),
            share_half: value(own.share_half),
            share_half_stderr: stderr(own.share_half),
            share_three_quarters: value(own.share_three_quarters),
            share_three_quarters_stderr: stderr(own.share_three_quarters),
            share_last: value(own.share_last),
            share_last_stderr: stderr(own.share_last),
            share_mean: value(own.share_mean),
            share_mean_stderr: stderr(own.share_mean),
            onset: own.onset,
            micro_nats_mean: value(own.micro_nats_mean),
            micro_nats_mean_stderr: stderr(own.micro_nats_mean),
            emergence_nats_mean: value(own.emergence_nats_mean),
            emergence_nats_mean_stderr: stderr(own.emergence_nats_mean),
            share_mean_random_init: value(own.share_mean_random_init),
            share_mean_random_init_stderr: stderr(own.share_mean_random_init),
            share_mean_above_random_init: value(own.share_mean_above_random_init),
            share_mean_above_random_init_stderr: stderr(own.share_mean_above_random_init),
            share_mean_change: value(own.share_mean_change),
            share_mean_change_stderr: stderr(own.share_mean_change),
            share_last_change: value(own.share_last_change),
            share_last_change_stderr: stderr(own.share_last_change),
            noise_scale: self.default_noise_scale,
            sets: self.corpus.sets,
            queries: self.corpus.queries,
            overlap: design.overlap,
            seed: self.seed,
            form: self.corpus.form.clone(),
            bos: self.corpus.bos.name().into(),
            dtype: self.model.dtype.name().into(),
            weights_sha256: self.model.weights_sha256.clone(),
            corpus_sha256: self.corpus.sha256.clone(),
            profile: self.stem(),
            version: self.schema.tool_version.clone(),
        };
        self.shots.iter().zip(&self.corpus.shots).map(row).collect()
    }
}
