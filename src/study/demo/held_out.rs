//! Selects the held-out models of the demonstration: the two largest models of each family.

use std::collections::{BTreeMap, BTreeSet};

use crate::emergence::Profile;
use crate::error::{Error, Result};

/// Number of held-out models per family.
const HELD_OUT: usize = 2;

/// Ids of the held-out models. The smallest model of a family is the proxy of the others and is never held
/// out.
///
/// # Errors
/// [`Error::Study`] for a model of unknown family.
pub(super) fn held_out(profiles: &[Profile]) -> Result<BTreeSet<String>> {
    let mut families: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
    for profile in profiles {
        let family = profile.model.family.as_deref().ok_or_else(|| Error::Study {
            reason: format!(
                "the family of {} is unknown, so this model has no proxy; set `family` in the settings",
                profile.model.id
            ),
        })?;
        families.entry(family).or_default().insert(profile.model.n_params, &profile.model.id);
    }
    let largest = families.into_values().flat_map(|members| {
        let others: Vec<&str> = members.into_values().skip(1).collect();
        others.into_iter().rev().take(HELD_OUT).map(str::to_owned).collect::<Vec<_>>()
    });
    Ok(largest.collect())
}
