//! The emergence of members: their profiles are read where they exist and measured where they do not.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::family::Family;
use super::settings::BlindSettings;
use crate::corpus::{Category, Series};
use crate::disk;
use crate::emergence;
use crate::emergence::{Profile, ProfileStore, measure_once};
use crate::error::{Error, Result};
use crate::mi::Channel;

/// The emergence of one member, mean over the corpora.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub emergence_nats: f64,
    /// The corpora are drawn apart, so that their errors add in quadrature.
    pub stderr_nats: f64,
    pub random_init_nats: f64,
    /// Widest gap between the bounds of a reading that the headline is made of.
    pub widest_gap_nats: f64,
}

/// The emergence of members, measured on demand.
pub(crate) struct Inside<'a> {
    family: &'a Family,
    settings: &'a BlindSettings,
    noise_scale: f64,
    folder: PathBuf,
    known: BTreeMap<String, Measured>,
}

impl<'a> Inside<'a> {
    pub fn new(family: &'a Family, settings: &'a BlindSettings, noise_scale: f64, folder: PathBuf) -> Self {
        Self { family, settings, noise_scale, folder, known: BTreeMap::new() }
    }

    /// The emergence of a member, measured if it is not known.
    ///
    /// # Errors
    /// Whatever opening or measuring it finds wrong; [`Error::Json`] for a profile that is damaged;
    /// [`Error::Fit`] for a model of one block.
    pub fn emergence_nats(&mut self, id: &str) -> Result<Measured> {
        if let Some(known) = self.known.get(id) {
            return Ok(*known);
        }
        disk::make_folder(&self.folder)?;
        let store = ProfileStore::new(&self.folder);
        let model = self.family.load(self.family.member(id)?)?;
        let channel = Channel::with_scale(self.settings.scale);
        let how = emergence::MeasureSettings::new(channel, self.settings.seed, self.settings.seed);
        let mut measured_profiles: Vec<Profile> = vec![];
        for name in &self.settings.corpora {
            let category = Category::load(name)?;
            let series =
                Series::draw(&category, self.settings.shots, self.settings.windows, self.settings.seed)?;
            let corpus = series.tokenize(&model.tokenizer)?;
            measured_profiles.push(measure_once(Some(&store), &model, &corpus, &how, &|_, _| ())?.0);
        }
        let headlines = measured_profiles
            .iter()
            .map(|profile| profile.headline_at(self.noise_scale))
            .collect::<Option<Vec<_>>>();
        let headlines = headlines.ok_or_else(|| Error::Fit {
            reason: format!(
                "{id} has no headline at b = {}; it needs two blocks and a noise scale of the grid",
                self.noise_scale
            ),
        })?;
        let n = headlines.len() as f64;
        let mean = |value: fn(&emergence::Headline) -> f64| headlines.iter().map(value).sum::<f64>() / n;
        let measured = Measured {
            emergence_nats: mean(|h| h.emergence_nats),
            // `channel` states one always.
            stderr_nats: headlines
                .iter()
                .filter_map(|h| h.stderr_nats)
                .map(|e| e.powi(2))
                .sum::<f64>()
                .sqrt()
                / n,
            random_init_nats: mean(|h| h.random_init_nats),
            widest_gap_nats: measured_profiles
                .iter()
                .map(|p| p.headline_gap_nats(self.noise_scale))
                .fold(0.0, f64::max),
        };
        self.known.insert(id.into(), measured);
        Ok(measured)
    }
}
