//! Profiles of a folder are measured once: what is there and current is read, the rest is measured and
//! written.

use super::measure::{measure, settings_of};
use super::profile::SemanticProfile;
use super::settings::SemanticSettings;
use crate::corpus::FactorialDesign;
use crate::emergence::measure_once::Origin;
use crate::emergence::store::{Found, ProfileStore};
use crate::error::Result;
use crate::model::Model;

/// The profile of `model` with a design: read from the store if the same was measured before, else measured
/// and written there. Without a store it is measured. A family that is new is written to the file that is
/// kept.
///
/// # Errors
/// [`crate::Error::Json`] for a damaged file; whatever the measurement finds wrong.
pub fn measure_once(
    store: Option<&ProfileStore>,
    model: &Model,
    design: &FactorialDesign,
    settings: &SemanticSettings,
) -> Result<(SemanticProfile, Origin)> {
    let Some(store) = store else { return Ok((measure(model, design, settings)?, Origin::Measured)) };
    let wanted = settings_of(model, design, settings)?;
    let origin = match store.find::<SemanticProfile>(&model.info.id, &design.category, &wanted)? {
        Found::Current(mut kept) => {
            if model.info.family.is_some() && kept.model.family != model.info.family {
                kept.model.family.clone_from(&model.info.family);
                store.put(&kept)?;
            }
            return Ok((kept, Origin::Kept));
        }
        Found::OtherVersion(other) => Origin::Replaced(other.schema.tool_version),
        Found::Missing => Origin::Measured,
    };
    let measured = measure(model, design, settings)?;
    store.put(&measured)?;
    Ok((measured, origin))
}
