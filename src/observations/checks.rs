//! Checks that profiles can be compared with each other.

use std::collections::BTreeMap;

use crate::emergence::Profile;
use crate::error::{Error, Result};

/// Whether the profiles of each corpus were measured alike, and those of one model differ in their seeds
/// alone.
///
/// # Errors
/// [`Error::Observations`] with the settings that differ.
pub fn check_profiles(profiles: &[Profile]) -> Result<()> {
    let mut by_corpus: BTreeMap<&str, BTreeMap<&str, Vec<&Profile>>> = BTreeMap::new();
    for profile in profiles {
        let models = by_corpus.entry(&profile.corpus.name).or_default();
        models.entry(&profile.model.id).or_default().push(profile);
    }
    for (corpus, models) in by_corpus {
        models.values().try_for_each(|profiles| check_repetitions(profiles))?;
        check_alike(corpus, models.values().flatten())?;
    }
    Ok(())
}

/// Settings that differ between repetitions: the seeds, and what is drawn with them.
const OF_SEED: [&str; 4] = ["seed", "random_init_seed", "corpus_sha256", "tokens_sha256"];

/// Repetitions differ in their seeds and in nothing else. One that is given twice would count as two, and its
/// noise as none; one that was measured otherwise would be mixed with the others.
pub(super) fn check_repetitions(profiles: &[&Profile]) -> Result<()> {
    let Some(first) = profiles.first() else { return Ok(()) };
    let (model, corpus) = (&first.model.id, &first.corpus.name);
    for profile in profiles {
        let differ = first.settings.differences(&profile.settings, &OF_SEED);
        if !differ.is_empty() {
            let reason = format!(
                "{model} on {corpus} was measured with different settings ({}); choose with --select \
                 NAME=VALUE, or name folders with one of them",
                differ.join("; ")
            );
            return Err(Error::Observations { reason });
        }
    }
    let mut by_seed: BTreeMap<u64, &Profile> = BTreeMap::new();
    for profile in profiles {
        let seed = profile.estimator.seed;
        if let Some(other) = by_seed.insert(seed, profile) {
            let differ = other.settings.differences(&profile.settings, &[]);
            let how = if differ.is_empty() { String::new() } else { format!(" ({})", differ.join("; ")) };
            let reason = format!(
                "{model} on {corpus} stands there twice with seed {seed}{how}; name each folder once, and \
                 measure repetitions with another --seed"
            );
            return Err(Error::Observations { reason });
        }
    }
    Ok(())
}

/// Emergence is compared on the same texts, measured with the same estimator, seed by seed.
pub(super) fn check_alike<'a>(corpus: &str, profiles: impl Iterator<Item = &'a &'a Profile>) -> Result<()> {
    let mut by_seed: BTreeMap<u64, &Profile> = BTreeMap::new();
    for profile in profiles {
        let first = *by_seed.entry(profile.estimator.seed).or_insert(profile);
        if first.corpus.sha256 != profile.corpus.sha256 || first.estimator != profile.estimator {
            let differ = first.settings.differences(&profile.settings, &OF_MODEL);
            let reason = format!(
                "{} and {} were measured on other texts of {corpus}, or otherwise ({}); measure them with \
                 the \
                 same --windows, --shots, --seed and --scale, or choose with --select NAME=VALUE",
                first.model.id,
                profile.model.id,
                differ.join("; ")
            );
            return Err(Error::Observations { reason });
        }
    }
    Ok(())
}

/// Settings that belong to a model and its tokenizer.
const OF_MODEL: [&str; 6] = ["weights_sha256", "spec_sha256", "dtype", "device", "bos", "tokens_sha256"];
