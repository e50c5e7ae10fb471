//! Profiles of a folder are measured once: what is there and current is read, the rest is measured and
//! written.

use super::measure::{measure_with_progress, settings_of};
use super::profile::Profile;
use super::settings::MeasureSettings;
use super::store::{Found, ProfileStore};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::model::Model;

/// Where a profile comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was measured now.
    Measured,
    /// It was in the folder and was not measured again.
    Kept,
    /// It was in the folder, measured by this other version of surmise, and was measured again.
    Replaced(String),
}

/// The profile of `model` on `corpus`: read from the store if the same was measured before, else measured and
/// written there. Without a store it is measured.
///
/// A family that is new does not change the numbers; it is written to the file that is kept. `progress`
/// receives the number of steps done and their total.
///
/// # Errors
/// [`crate::Error::Json`] for a damaged file; whatever the measurement finds wrong.
pub fn measure_once(
    store: Option<&ProfileStore>,
    model: &Model,
    corpus: &Corpus,
    settings: &MeasureSettings,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(Profile, Origin)> {
    let Some(store) = store else {
        return Ok((measure_with_progress(model, corpus, settings, progress)?, Origin::Measured));
    };
    let found = store.find(&model.info.id, &corpus.name, &settings_of(model, corpus, settings))?;
    let origin = match found {
        Found::Current(mut kept @ Profile { .. }) => {
            if model.info.family.is_some() && kept.model.family != model.info.family {
                kept.model.family.clone_from(&model.info.family);
                store.put(&kept)?;
            }
            return Ok((kept, Origin::Kept));
        }
        Found::OtherVersion(other) => Origin::Replaced(other.schema.tool_version),
        Found::Missing => Origin::Measured,
    };
    let measured = measure_with_progress(model, corpus, settings, progress)?;
    store.put(&measured)?;
    Ok((measured, origin))
}
