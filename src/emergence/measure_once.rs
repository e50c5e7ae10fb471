//! Profiles of a folder are measured once: what is there and current is read, the rest is measured and
//! written.

use super::profile_settings::ProfileSettings;
use super::store::{Found, ProfileStore, StoredProfile};
use crate::error::Result;
use crate::model::ModelInfo;

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

/// The profile of `model` on the corpus of that name, of any estimand: read from the store if the same was
/// measured before, else measured and written there. Without a store it is measured.
///
/// `settings` are those that `measure` writes into the profile. A family that is new does not change the
/// numbers; it is written to the file that is kept.
///
/// # Errors
/// [`crate::Error::Json`] for a damaged file; those of `measure`.
pub fn measure_once<P: StoredProfile>(
    store: Option<&ProfileStore>,
    model: &ModelInfo,
    corpus: &str,
    settings: &ProfileSettings,
    measure: impl FnOnce() -> Result<P>,
) -> Result<(P, Origin)> {
    let Some(store) = store else { return Ok((measure()?, Origin::Measured)) };
    let origin = match store.find::<P>(&model.id, corpus, settings)? {
        Found::Current(mut kept) => {
            if model.family.is_some() && kept.model().family != model.family {
                kept.model_mut().family.clone_from(&model.family);
                store.put(&kept)?;
            }
            return Ok((kept, Origin::Kept));
        }
        Found::OtherVersion(other) => Origin::Replaced(other.schema().tool_version.clone()),
        Found::Missing => Origin::Measured,
    };
    let measured = measure()?;
    store.put(&measured)?;
    Ok((measured, origin))
}
