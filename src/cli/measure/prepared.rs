//! For both estimands, checks the names and the folder and downloads the models before the first measurement.

use std::collections::BTreeSet;

use super::flags::Flags;
use crate::cli::config_notes;
use crate::disk;
use crate::emergence::{Origin, ProfileSettings, ProfileStore, StoredProfile};
use crate::error::{Error, Result};
use crate::model::hub::{self, Hub};
use crate::model::{Model, ModelOptions};

/// A checked measurement: names, folder and downloads are valid.
pub(super) struct Prepared<'a> {
    flags: &'a Flags,
    hub: Hub,
    quiet: bool,
    /// The folder of the profiles, if `-o` is given.
    pub(super) store: Option<ProfileStore>,
}

impl<'a> Prepared<'a> {
    /// Checks the names and the folder, and downloads the models, so that no download can fail between two
    /// measurements.
    pub(super) fn new<'b, P: StoredProfile>(
        flags: &'a Flags,
        corpora: impl Iterator<Item = &'b str>,
        quiet: bool,
    ) -> Result<Self> {
        let hub = flags.fetching.hub(&flags.models, quiet)?;
        let labels = flags.models.iter().map(|name| Model::find(name, &hub)).collect::<Result<Vec<_>>>()?;
        check_label(flags)?;
        check_names(
            "MODEL",
            labels.iter().map(String::as_str),
            "measure the models in separate runs, and set --name for one of them",
        )?;
        check_names("--corpus", corpora, "rename one of the files")?;
        let store = flags.output.as_deref().map(ProfileStore::new);
        if let Some(store) = &store {
            disk::make_folder(store.folder())?;
            disk::probe(store.folder())?;
            // Returns an error for a profile in the folder that cannot be part of profiles.csv.
            store.check::<P>()?;
        }
        let mut ids = flags.models.iter().filter(|name| hub::is_id(name));
        ids.try_for_each(|name| hub.folder(name, hub::RequiredFiles::WeightsAndTokenizer).map(drop))?;
        Ok(Self { flags, hub, quiet, store })
    }

    /// Opens a model and sets the family and label from the flags. `with_random_init` reserves memory for its
    /// randomly initialised copy.
    pub(super) fn open(&self, name: &str, with_random_init: bool) -> Result<Model> {
        let options = ModelOptions { with_random_init, ..self.flags.opening.clone().into() };
        let mut model = Model::load_with(name, options, &self.hub)?;
        config_notes(&model.info, self.quiet);
        model.info.family = self.flags.family.clone().or(model.info.family);
        model.info.id = self.flags.name.clone().unwrap_or(model.info.id);
        Ok(model)
    }
}

/// A note on a profile that was already in the folder.
pub(super) fn kept(model: &str, corpus: &str, settings: &ProfileSettings, origin: &Origin) -> Option<String> {
    let stem = ProfileStore::stem(model, corpus, settings);
    match origin {
        Origin::Measured => None,
        Origin::Kept => {
            Some(format!("{stem}.json already contains this measurement, which was not repeated"))
        }
        Origin::Replaced(version) => Some(format!(
            "{stem}.json was written by surmise {version}; the measurement was repeated, and the file was \
             replaced"
        )),
    }
}

/// Checks that the label belongs to one model and fits into a table cell.
fn check_label(flags: &Flags) -> Result<()> {
    let Some(label) = &flags.name else { return Ok(()) };
    let reason = match () {
        () if flags.models.len() > 1 => {
            format!("applies to one model, but {} are given; measure them separately", flags.models.len())
        }
        () if label.trim() != label || label.is_empty() || label.contains(char::is_control) => {
            format!(
                "is {label:?}; give a label without control characters and without leading or trailing \
                     spaces"
            )
        }
        () => return Ok(()),
    };
    Err(Error::Parameter { name: "--name", reason })
}

/// Returns an error for two models or corpora with the same name, because nothing would distinguish their
/// rows.
fn check_names<'a>(what: &'static str, names: impl Iterator<Item = &'a str>, otherwise: &str) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let reason = format!(
                "names two inputs that would have the same name, {name} (the last part of a path); \
                 {otherwise}"
            );
            return Err(Error::Parameter { name: what, reason });
        }
    }
    Ok(())
}
