//! The hidden model's texts as a small open model reads them: emergence at the last position of their
//! windows, less that of the same tokens shuffled.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::family::{Family, Member};
use super::outside::Outside;
use super::settings::BlindSettings;
use crate::corpus::texts::Text;
use crate::corpus::{Control, Cut, Texts};
use crate::disk;
use crate::emergence::{self, ProfileStore, measure_once};
use crate::error::Result;
use crate::mi::Channel;
use crate::seed;

/// Tokens of a window of text.
const WINDOW_TOKENS: usize = 16;
/// Most windows of each model's texts.
const WINDOWS: usize = 400;
/// Fewest windows that are read at all.
const LEAST_WINDOWS: usize = 20;

/// Readings of texts by small members, measured on demand.
pub(crate) struct Readings<'a> {
    family: &'a Family,
    settings: &'a BlindSettings,
    noise_scale: f64,
    folder: PathBuf,
    known: BTreeMap<(String, String), Option<f64>>,
}

impl<'a> Readings<'a> {
    pub fn new(family: &'a Family, settings: &'a BlindSettings, noise_scale: f64, folder: PathBuf) -> Self {
        Self { family, settings, noise_scale, folder, known: BTreeMap::new() }
    }

    /// What `reader` reads in the texts of a model beyond their shuffled control, nats; `None` where they
    /// give too few windows.
    ///
    /// # Errors
    /// Whatever opening the reader or measuring finds wrong.
    pub fn gain_nats(&mut self, reader: &Member, of: &Outside) -> Result<Option<f64>> {
        let key = (reader.id.clone(), of.model.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        disk::make_folder(&self.folder)?;
        let model = self.family.load(reader)?;
        let texts: Vec<Text> =
            (1..).zip(&of.texts).map(|(line, text)| Text { text: text.clone(), line }).collect();
        let mut hash = Sha256::new();
        of.texts.iter().for_each(|text| hash.update(format!("{text}\n")));
        let texts = Texts {
            name: disk::id_in_file_names(&of.model),
            path: "texts.jsonl".into(),
            sha256: seed::hex(&hash.finalize()),
            texts,
        };
        let seed = self.settings.seed;
        let cut =
            Cut { window_tokens: WINDOW_TOKENS, windows: WINDOWS, seed, control: Some(Control::Shuffled) };
        let gain = if cut.all(&texts, &model.tokenizer)?.len() < LEAST_WINDOWS {
            None
        } else {
            let corpus = cut.corpus(&texts, &model.tokenizer)?;
            let how = emergence::MeasureSettings::new(Channel::with_scale(self.settings.scale), seed, seed);
            let store = ProfileStore::new(&self.folder);
            let (profile, _) = measure_once(Some(&store), &model, &corpus, &how, &|_, _| ())?;
            let own = profile.headline_at(self.noise_scale);
            let control = profile.control_headline_at(self.noise_scale);
            own.zip(control).map(|(own, control)| own.emergence_nats - control.emergence_nats)
        };
        self.known.insert(key, gain);
        Ok(gain)
    }
}
