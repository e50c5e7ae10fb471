//! Provides the semantic profiles of members. Reads stored profiles and measures missing ones.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::family::Family;
use super::settings::BlindSettings;
use crate::corpus::FactorialDesign;
use crate::disk;
use crate::emergence::semantic::{self, SemanticProfile};
use crate::emergence::{ProfileStore, measure_once};
use crate::error::Result;

/// The profiles of members on all corpora, measured on demand.
pub(crate) struct MemberProfiles<'a> {
    family: &'a Family,
    settings: &'a BlindSettings,
    designs: Vec<FactorialDesign>,
    folder: PathBuf,
    known: BTreeMap<String, Rc<[SemanticProfile]>>,
}

impl<'a> MemberProfiles<'a> {
    /// # Errors
    /// Returns the errors of drawing the designs.
    pub fn new(family: &'a Family, settings: &'a BlindSettings, folder: PathBuf) -> Result<Self> {
        Ok(Self { family, settings, designs: settings.designs()?, folder, known: BTreeMap::new() })
    }

    /// The profiles of a member, one for each corpus.
    ///
    /// # Errors
    /// Errors of loading or measuring the member; [`crate::Error::Json`] for a damaged profile.
    pub fn of(&mut self, id: &str) -> Result<Rc<[SemanticProfile]>> {
        if let Some(known) = self.known.get(id) {
            return Ok(Rc::clone(known));
        }
        disk::make_folder(&self.folder)?;
        let store = ProfileStore::new(&self.folder);
        let model = self.family.load(self.family.member(id)?)?;
        let how = self.settings.measure();
        let profile = |design: &FactorialDesign| {
            let prompts = semantic::tokenize(&model, design)?;
            let wanted = semantic::settings_of(&model, design, &prompts, &how);
            let measured = || semantic::measure(&model, design, &prompts, &how);
            let (mut profile, _) =
                measure_once(Some(&store), &model.info, &design.category, &wanted, measured)?;
            // Observations need only the summaries; the readings of many members would fill the memory.
            profile.readings.clear();
            Ok(profile)
        };
        let profiles: Rc<[SemanticProfile]> = self.designs.iter().map(profile).collect::<Result<_>>()?;
        self.known.insert(id.into(), Rc::clone(&profiles));
        Ok(profiles)
    }
}
