//! What every estimand does before the first model is measured: whatever can be wrong is found out.

use std::collections::BTreeSet;

use super::flags::Flags;
use crate::cli::config_notes;
use crate::disk;
use crate::emergence::{Origin, ProfileSettings, ProfileStore, StoredProfile};
use crate::error::{Error, Result};
use crate::model::hub::{self, Hub};
use crate::model::{Model, ModelOptions};

/// A measurement whose names, folder and downloads are in order.
pub(super) struct Prepared<'a> {
    flags: &'a Flags,
    hub: Hub,
    quiet: bool,
    /// The folder of the profiles, if they are kept.
    pub(super) store: Option<ProfileStore>,
}

impl<'a> Prepared<'a> {
    /// Checks names and the folder, and fetches the models, so that no download fails between two
    /// measurements.
    pub(super) fn new<'b, P: StoredProfile>(
        flags: &'a Flags,
        corpora: impl Iterator<Item = &'b str>,
        quiet: bool,
    ) -> Result<Self> {
        let hub = flags.fetching.hub(&flags.models, quiet)?;
        let labels = flags.models.iter().map(|name| Model::find(name, &hub)).collect::<Result<Vec<_>>>()?;
        check_label(flags)?;
        check_names("MODEL", labels.iter().map(String::as_str), "give one of them a --name of its own")?;
        check_names("--corpus", corpora, "rename one of the files")?;
        let store = flags.output.as_deref().map(ProfileStore::new);
        if let Some(store) = &store {
            disk::make_folder(store.folder())?;
            disk::probe(store.folder())?;
            // A file that the tables could not be made of.
            store.check::<P>()?;
        }
        let mut ids = flags.models.iter().filter(|name| hub::is_id(name));
        ids.try_for_each(|name| hub.folder(name, hub::RequiredFiles::WeightsAndTokenizer).map(drop))?;
        Ok(Self { flags, hub, quiet, store })
    }

    /// Opens a model, with the family and label that the flags give it, and with room for its random init
    /// where that may be needed.
    pub(super) fn open(&self, name: &str, with_random_init: bool) -> Result<Model> {
        let options = ModelOptions { with_random_init, ..self.flags.opening.clone().into() };
        let mut model = Model::load_with(name, options, &self.hub)?;
        config_notes(&model.info, self.quiet);
        model.info.family = self.flags.family.clone().or(model.info.family);
        model.info.id = self.flags.name.clone().unwrap_or(model.info.id);
        Ok(model)
    }
}

/// What became of a profile that was in the folder.
pub(super) fn kept(model: &str, corpus: &str, settings: &ProfileSettings, origin: &Origin) -> Option<String> {
    let stem = ProfileStore::stem(model, corpus, settings);
    match origin {
        Origin::Measured => None,
        Origin::Kept => {
            Some(format!("{stem}.json was measured before with these settings; not measured again"))
        }
        Origin::Replaced(version) => {
            Some(format!("{stem}.json was measured by surmise {version}; measured again and replaced"))
        }
    }
}

/// A label is of one model, and can stand in a line of a table.
fn check_label(flags: &Flags) -> Result<()> {
    let Some(label) = &flags.name else { return Ok(()) };
    let reason = match () {
        () if flags.models.len() > 1 => {
            format!("names one model, and {} are given; measure them one by one", flags.models.len())
        }
        () if label.trim() != label || label.is_empty() || label.contains(char::is_control) => {
            format!("is {label:?}; give a label without blanks around it")
        }
        () => return Ok(()),
    };
    Err(Error::Parameter { name: "--name", reason })
}

/// The rows of two models or corpora with one name could not be told apart.
fn check_names<'a>(what: &'static str, names: impl Iterator<Item = &'a str>, otherwise: &str) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            let reason = format!(
                "names {name} twice, or two folders or files that end in it; measure them in two runs, and \
                 {otherwise}"
            );
            return Err(Error::Parameter { name: what, reason });
        }
    }
    Ok(())
}
