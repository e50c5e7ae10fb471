//! Avoids repeated measurements: reads a profile from its folder if it is current, otherwise measures and
//! writes it.

use super::profile_settings::ProfileSettings;
use super::store::{Found, ProfileStore, StoredProfile};
use crate::error::Result;
use crate::model::ModelInfo;

/// Where a profile comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The profile was measured now.
    Measured,
    /// The profile was read from the folder.
    Kept,
    /// The profile in the folder was measured by another version of surmise, which is named here; it was
    /// measured again.
    Replaced(String),
}

/// Returns the profile of `model` on the named corpus, for any estimand. If the store has a current profile,
/// the function reads it; otherwise it measures the profile and writes it to the store. Without a store, it
/// always measures.
///
/// `settings` must equal the settings that `measure` writes into the profile. If the family of the model has
/// changed, the stored file is updated without a new measurement, because the family does not affect the
/// results.
///
/// # Errors
/// [`crate::Error::Json`] for a damaged file, and the errors of [`ProfileStore::find`], [`ProfileStore::put`]
/// and `measure`.
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
