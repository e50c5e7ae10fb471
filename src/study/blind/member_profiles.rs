//! The profiles of members: read where they exist and measured where they do not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::family::Family;
use super::settings::BlindSettings;
use crate::corpus::{Category, Series};
use crate::disk;
use crate::emergence::{Profile, ProfileStore, measure, measure_once, settings_of};
use crate::error::{Error, Result};
use crate::observations::MeasuredModel;

/// The profiles of members on all corpora, measured on demand.
pub(crate) struct MemberProfiles<'a> {
    family: &'a Family,
    settings: &'a BlindSettings,
    folder: PathBuf,
    known: BTreeMap<String, Rc<[Profile]>>,
}

impl<'a> MemberProfiles<'a> {
    pub fn new(family: &'a Family, settings: &'a BlindSettings, folder: PathBuf) -> Self {
        Self { family, settings, folder, known: BTreeMap::new() }
    }

    /// The profiles of a member, one for each corpus.
    ///
    /// # Errors
    /// Whatever opening or measuring it finds wrong; [`crate::Error::Json`] for a profile that is damaged.
    pub fn of(&mut self, id: &str) -> Result<Rc<[Profile]>> {
        if let Some(known) = self.known.get(id) {
            return Ok(Rc::clone(known));
        }
        disk::make_folder(&self.folder)?;
        let store = ProfileStore::new(&self.folder);
        let model = self.family.load(self.family.member(id)?)?;
        let (how, settings) = (self.settings.measure()?, self.settings);
        let profile = |name: &String| {
            let category = Category::load(name)?;
            let series = Series::draw(&category, settings.shots, settings.windows, settings.seed)?;
            let corpus = series.tokenize(&model.tokenizer)?;
            let wanted = settings_of(&model, &corpus, &how);
            let measured = || measure(&model, &corpus, &how);
            Ok(measure_once(Some(&store), &model.info, &corpus.name, &wanted, measured)?.0)
        };
        let profiles: Rc<[Profile]> = settings.corpora.iter().map(profile).collect::<Result<_>>()?;
        self.known.insert(id.into(), Rc::clone(&profiles));
        Ok(profiles)
    }
}

/// The emergence of one member, mean over the corpora.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub emergence_nats: f64,
    /// `None` for an estimator that states none.
    pub stderr_nats: Option<f64>,
    pub random_init_nats: f64,
    /// Widest gap between the bounds of a reading that the headline is made of.
    pub widest_gap_nats: f64,
}

impl Measured {
    /// # Errors
    /// [`Error::Study`] for a model of one block.
    pub fn new(profiles: &[Profile], noise_scale: Option<f64>) -> Result<Self> {
        let measured = MeasuredModel::over_corpora(profiles.iter().collect(), noise_scale);
        let measured = measured.map_err(|reason| Error::Study { reason })?;
        let gaps = profiles.iter().map(|profile| profile.headline_gap_nats(noise_scale));
        Ok(Self {
            emergence_nats: measured.headline_nats,
            stderr_nats: measured.stderr_nats(),
            random_init_nats: measured.random_init_nats,
            widest_gap_nats: gaps.fold(0.0, f64::max),
        })
    }
}
