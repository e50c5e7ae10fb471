//! Checks whether profiles can be compared with each other.

use std::collections::BTreeMap;

use crate::emergence::semantic::SemanticProfile;
use crate::emergence::{Profile, StoredProfile};
use crate::error::{Error, Result};

/// A profile that can be compared with other profiles of its estimand.
pub trait ComparableProfile: StoredProfile {
    /// Settings that may differ between repetitions: the seeds, and the hashes of data that are drawn with
    /// these seeds.
    const OF_SEED: &'static [&'static str];
    /// The flags that must be equal for profiles on one corpus.
    const FLAGS: &'static str;

    /// The seed of the profile.
    fn seed(&self) -> u64;

    /// Whether two models were measured on the same texts or prompts in the same way.
    fn is_alike(&self, other: &Self) -> bool;
}

impl ComparableProfile for Profile {
    const OF_SEED: &'static [&'static str] = &["seed", "random_init_seed", "corpus_sha256", "tokens_sha256"];
    const FLAGS: &'static str = "--windows, --entities, --seed and --scale";

    fn seed(&self) -> u64 {
        self.estimator.seed
    }

    fn is_alike(&self, other: &Self) -> bool {
        self.corpus.sha256 == other.corpus.sha256 && self.estimator == other.estimator
    }
}

impl ComparableProfile for SemanticProfile {
    const OF_SEED: &'static [&'static str] =
        &["seed", "noise_seed", "random_init_seed", "prompts_sha256", "tokens_sha256"];
    const FLAGS: &'static str = "--sets, --queries, --form and --seed";

    fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of shots is not compared: example sets are nested, so profiles with different numbers of
    /// shots can be compared at the numbers that both have.
    fn is_alike(&self, other: &Self) -> bool {
        let of = |profile: &Self| (profile.corpus.sets, profile.corpus.queries, profile.default_noise_scale);
        self.corpus.sha256 == other.corpus.sha256
            && self.corpus.form == other.corpus.form
            && of(self) == of(other)
    }
}

/// Checks that the profiles on each corpus were measured in the same way, and that the profiles of one model
/// differ only in their seeds.
///
/// # Errors
/// [`Error::Observations`] with the settings that differ.
pub fn check_profiles<P: ComparableProfile>(profiles: &[P]) -> Result<()> {
    let mut by_corpus: BTreeMap<&str, BTreeMap<&str, Vec<&P>>> = BTreeMap::new();
    for profile in profiles {
        let models = by_corpus.entry(profile.corpus_name()).or_default();
        models.entry(&profile.model().id).or_default().push(profile);
    }
    for (corpus, models) in by_corpus {
        models.values().try_for_each(|profiles| check_repetitions(profiles))?;
        check_alike(corpus, models.values().flatten())?;
    }
    Ok(())
}

/// Checks that repetitions differ in their seeds and in nothing else. A profile that is given twice would
/// count as two repetitions and hide the noise. A profile with other settings would be averaged with profiles
/// that are not comparable.
pub(super) fn check_repetitions<P: ComparableProfile>(profiles: &[&P]) -> Result<()> {
    let Some(first) = profiles.first() else { return Ok(()) };
    let (model, corpus) = (&first.model().id, first.corpus_name());
    for profile in profiles {
        let differ = first.settings().differences(profile.settings(), P::OF_SEED);
        if !differ.is_empty() {
            let reason = format!(
                "{model} on {corpus} was measured with different settings ({}); choose with --select \
                 NAME=VALUE, or give only folders that were measured with the same settings",
                differ.join("; ")
            );
            return Err(Error::Observations { reason });
        }
    }
    let mut by_seed: BTreeMap<u64, &P> = BTreeMap::new();
    for profile in profiles {
        let seed = profile.seed();
        if let Some(other) = by_seed.insert(seed, profile) {
            let differ = other.settings().differences(profile.settings(), &[]);
            let how = if differ.is_empty() { String::new() } else { format!(" ({})", differ.join("; ")) };
            let reason = format!(
                "{model} on {corpus} occurs twice with seed {seed}{how}; give each folder once, and measure \
                 repetitions with another --seed"
            );
            return Err(Error::Observations { reason });
        }
    }
    Ok(())
}

/// Checks that the models were measured on the same texts or prompts in the same way, seed by seed.
pub(super) fn check_alike<'a, P: ComparableProfile + 'a>(
    corpus: &str,
    profiles: impl Iterator<Item = &'a &'a P>,
) -> Result<()> {
    let mut by_seed: BTreeMap<u64, &P> = BTreeMap::new();
    for profile in profiles {
        let first = *by_seed.entry(profile.seed()).or_insert(profile);
        if !first.is_alike(profile) {
            let differ = first.settings().differences(profile.settings(), &OF_MODEL);
            let reason = format!(
                "{} and {} were measured on different texts of {corpus} or with different settings ({}); \
                 measure them with the same {}, or choose with --select NAME=VALUE",
                first.model().id,
                profile.model().id,
                differ.join("; "),
                P::FLAGS
            );
            return Err(Error::Observations { reason });
        }
    }
    Ok(())
}

/// Settings that belong to a model and its tokenizer, so they differ between models.
const OF_MODEL: [&str; 6] = ["weights_sha256", "spec_sha256", "dtype", "device", "bos", "tokens_sha256"];
