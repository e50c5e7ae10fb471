//! The hidden model's texts as a small open model reads them: emergence at the last position of their
//! windows, beside that of the same tokens shuffled.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::api_answers::ApiAnswers;
use super::family::{Family, Member};
use super::settings::BlindSettings;
use crate::corpus::texts::Text;
use crate::corpus::{CorpusControl, Texts, WindowSettings};
use crate::disk;
use crate::emergence::{Profile, ProfileStore, measure, measure_once, settings_of};
use crate::error::Result;
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
    folder: PathBuf,
    known: BTreeMap<(String, String), Option<Rc<Profile>>>,
}

impl<'a> Readings<'a> {
    pub fn new(family: &'a Family, settings: &'a BlindSettings, folder: PathBuf) -> Self {
        Self { family, settings, folder, known: BTreeMap::new() }
    }

    /// The profile of the reader, if there is one, as in [`Self::read`].
    ///
    /// # Errors
    /// Those of [`Self::read`].
    pub fn read_by(&mut self, reader: Option<&Member>, of: &ApiAnswers) -> Result<Option<Rc<Profile>>> {
        reader.map_or(Ok(None), |reader| self.read(reader, of))
    }

    /// The profile of `reader` on the texts of a model and on their shuffled control; `None` where they give
    /// too few windows.
    ///
    /// # Errors
    /// Whatever opening the reader or measuring finds wrong.
    fn read(&mut self, reader: &Member, of: &ApiAnswers) -> Result<Option<Rc<Profile>>> {
        let key = (reader.id.clone(), of.model.clone());
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
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
        let settings = WindowSettings {
            window_tokens: WINDOW_TOKENS,
            windows: WINDOWS,
            seed,
            control: Some(CorpusControl::Shuffled),
        };
        let profile = if settings.all(&texts, &model.tokenizer)?.len() < LEAST_WINDOWS {
            None
        } else {
            let corpus = settings.corpus(&texts, &model.tokenizer)?;
            let store = ProfileStore::new(&self.folder);
            let how = self.settings.measure()?;
            let wanted = settings_of(&model, &corpus, &how);
            let profile = || measure(&model, &corpus, &how);
            Some(Rc::new(measure_once(Some(&store), &model.info, &corpus.name, &wanted, profile)?.0))
        };
        self.known.insert(key, profile.clone());
        Ok(profile)
    }
}
