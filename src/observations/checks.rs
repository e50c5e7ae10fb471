//! Checks that profiles can be compared with each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::emergence::Profile;
use crate::error::{Error, Result};

/// Repetitions are of other seeds: one that stands there twice would count as two, and its noise as none.
pub(super) fn check_seeds(profiles: &[&Profile]) -> Result<()> {
    let mut seeds = BTreeSet::new();
    match profiles.iter().find(|profile| !seeds.insert(profile.estimator.seed)) {
        None => Ok(()),
        Some(profile) => {
            let (model, corpus, seed) = (&profile.model.id, &profile.corpus.name, profile.estimator.seed);
            let reason = format!(
                "{model} on {corpus} stands there twice with seed {seed}; name each folder once, and \
                 measure repetitions with another --seed"
            );
            Err(Error::Observations { reason })
        }
    }
}

/// Emergence is compared on the same texts, measured with the same estimator, seed by seed.
pub(super) fn check_alike<'a>(corpus: &str, profiles: impl Iterator<Item = &'a &'a Profile>) -> Result<()> {
    let mut by_seed: BTreeMap<u64, &Profile> = BTreeMap::new();
    for profile in profiles {
        let first = *by_seed.entry(profile.estimator.seed).or_insert(profile);
        if first.corpus.sha256 != profile.corpus.sha256 || first.estimator != profile.estimator {
            let reason = format!(
                "{} and {} were measured on other texts of {corpus}, or otherwise; measure them with the \
                 same --windows, --shots, --seed and --scale",
                first.model.id, profile.model.id
            );
            return Err(Error::Observations { reason });
        }
    }
    Ok(())
}
