//! Measures semantic profiles of all models on every category, once for all findings that use them. They are
//! stored in the folder `semantic`, so a repeated run continues from them.

use std::cell::OnceCell;
use std::path::Path;

use surmise::corpus::category::DEFAULT;
use surmise::corpus::{Category, DesignSettings, FactorialDesign};
use surmise::emergence::semantic::{
    SemanticProfile, SemanticSettings, ShotSummary, SummaryRow, WithError, measure, settings_of, tokenize,
};
use surmise::emergence::{ProfileStore, measure_once};
use surmise::model::Model;
use surmise::{Result, disk};

use super::{Run, SEED};

/// Numbers of examples in a prompt.
pub const SHOTS: [usize; 5] = [0, 1, 2, 4, 8];

/// A share exceeds another if the difference is larger than this many standard errors.
pub const BEYOND: f64 = 2.0;

#[derive(Default)]
pub struct Designs(OnceCell<Vec<SemanticProfile>>);

impl Designs {
    pub fn profiles(&self, run: &Run) -> Result<&[SemanticProfile]> {
        if self.0.get().is_none() {
            let random_init = (run.opts.random_init == "on").then_some(SEED);
            let mut profiles = vec![];
            for name in &run.models {
                let model = run.load(name)?;
                for category in DEFAULT {
                    let settings = SemanticSettings::new(SEED, random_init);
                    profiles.push(measured(run, &model, &Category::load(category)?, &how(), &settings)?);
                }
            }
            return Ok(self.0.get_or_init(|| profiles));
        }
        Ok(self.0.get().map_or(&[], Vec::as_slice))
    }
}

/// The design of `surmise measure --shots 0,1,2,4,8`.
pub fn how() -> DesignSettings {
    DesignSettings { shots: SHOTS.into(), seed: SEED, ..DesignSettings::default() }
}

/// The profile of a model, read from the folder if it exists.
pub fn measured(
    run: &Run,
    model: &Model,
    category: &Category,
    how: &DesignSettings,
    settings: &SemanticSettings,
) -> Result<SemanticProfile> {
    let store = ProfileStore::new(&run.folder("semantic")?);
    let design = FactorialDesign::draw(category, how)?;
    let prompts = tokenize(model, &design)?;
    let own = settings_of(model, &design, &prompts, settings);
    let measure = || measure(model, &design, &prompts, settings);
    Ok(measure_once(Some(&store), &model.info, &design.category, &own, measure)?.0)
}

/// Writes the rows of summaries.csv for some profiles to `file`.
pub fn write_summaries(profiles: &[SemanticProfile], file: &Path) -> Result<()> {
    let rows: Vec<SummaryRow> = profiles.iter().flat_map(SemanticProfile::summary_rows).collect();
    disk::write(file, &disk::csv_bytes(file, &rows)?)
}

/// The summaries with examples, by increasing number of shots.
pub fn with_examples(profile: &SemanticProfile) -> Vec<&ShotSummary> {
    profile.shots.iter().filter(|summary| summary.shots > 0).collect()
}

/// The number of standard errors by which `to` exceeds `from`, as if both shares were independent. Shares of
/// the same queries are dependent, so the standard error of their difference is smaller.
pub fn above(from: WithError, to: WithError) -> f64 {
    let stderr = from.stderr.unwrap_or(f64::NAN).hypot(to.stderr.unwrap_or(f64::NAN));
    (to.value - from.value) / stderr
}
