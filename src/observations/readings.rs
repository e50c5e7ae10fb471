//! Computes readings: the emergence that one small model shows on the texts of many models, open and closed,
//! measured in the same way for all.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::LN_2;

use serde::Deserialize;

use super::checks::check_repetitions;
use super::features::{mean, over_seeds};
use crate::emergence::{Headline, Micro, Profile};
use crate::error::{Error, Result};

/// The name of the group of texts that no model wrote.
pub const REFERENCE: &str = "reference";
/// Largest difference between two values that count as equal: relative for values above 1 nat, otherwise
/// absolute, in nats. A group occurs in several pairs, whose values for the group must agree.
const SAME: f64 = 1e-6;

/// The columns of comparisons.csv that a join uses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ComparisonRow {
    /// The reader model.
    pub model: String,
    /// The first group.
    pub group_a: String,
    /// The second group.
    pub group_b: String,
    /// The quantity: `emergence` or `emergence_less_control`.
    pub quantity: String,
    /// What the noise scale is relative to, such as `rms`.
    pub scale: String,
    /// The noise scale b.
    pub noise_scale: Option<f64>,
    /// The number of tokens per window.
    pub window_tokens: usize,
    /// The number of windows per group.
    pub n_windows: usize,
    /// The value of the first group, in nats.
    pub a_nats: f64,
    /// The value of the second group, in nats.
    pub b_nats: f64,
    /// The seed of the windows, control and noise.
    pub seed: u64,
}

/// The emergence that the reader shows on the texts of one model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct TextReading {
    /// The headline.
    pub nats: Option<f64>,
    /// The standard error of the mean over seeds, from the estimator and from the variance between seeds.
    pub stderr_nats: Option<f64>,
    /// The headline minus the headline of the control, in which the same tokens are shuffled.
    pub less_control_nats: Option<f64>,
    /// The headline in bits per byte of text.
    pub bits_per_byte: Option<f64>,
}

impl TextReading {
    /// The reading from the profiles of one group of texts, one profile per seed. `None` if a profile has no
    /// headline at this noise scale.
    pub fn new(profiles: &[&Profile], noise_scale: Option<f64>) -> Option<Self> {
        let headlines: Vec<Headline> =
            profiles.iter().map(|profile| profile.headline_at(noise_scale)).collect::<Option<_>>()?;
        let nats: Vec<f64> = headlines.iter().map(|headline| headline.emergence_nats).collect();
        let stderrs: Vec<Option<f64>> = headlines.iter().map(|headline| headline.stderr_nats).collect();
        let controls: Option<Vec<f64>> = profiles
            .iter()
            .map(|p| p.control_headline_at(noise_scale).map(|control| control.emergence_nats))
            .collect();
        let per_byte: Option<Vec<f64>> = profiles.iter().map(|p| p.corpus.tokens_per_byte()).collect();
        let nats_mean = mean(&nats);
        let of_seeds = over_seeds(&nats, &stderrs);
        Some(Self {
            nats: nats_mean,
            stderr_nats: of_seeds.0.map(|own| own.hypot(of_seeds.1.unwrap_or(0.0))),
            less_control_nats: nats_mean.zip(controls.and_then(|c| mean(&c))).map(|(own, c)| own - c),
            bits_per_byte: nats_mean.zip(per_byte.and_then(|t| mean(&t))).map(|(own, t)| own * t / LN_2),
        })
    }
}

/// The reader of a profile and its settings as one string. Only rows with equal strings can be compared. If
/// `n_windows` is `None`, the string does not contain the number of windows.
pub(super) fn reader_name(profile: &Profile, noise_scale: Option<f64>, n_windows: Option<usize>) -> String {
    let (model, estimator) = (&profile.model, &profile.estimator);
    let b = noise_scale.map_or_else(String::new, |b| b.to_string());
    let micro = if estimator.micro == Micro::First { " first" } else { "" };
    let n_windows = n_windows.map_or_else(String::new, |n| format!("{n} "));
    format!(
        "{} {:.12}, {}{micro} {} {b}, {n_windows}windows of {}",
        model.id,
        model.weights_sha256,
        estimator.name,
        estimator.scale.name(),
        profile.corpus.shots
    )
}

/// Readings of texts, by the name of the group of texts. All of them come from one reader with the same
/// settings.
#[derive(Debug, Clone, Default)]
pub(super) struct TextReadings {
    /// The reader and its settings as one string, empty if there are no readings. Only rows with equal
    /// strings can be compared.
    pub reader: String,
    by_name: BTreeMap<String, TextReading>,
}

impl TextReadings {
    /// # Errors
    /// [`Error::Observations`] if the readings differ in their reader or settings, or if both profiles and
    /// comparisons are given.
    pub fn new(profiles: &[Profile], compared: &[ComparisonRow], noise_scale: Option<f64>) -> Result<Self> {
        match (profiles.is_empty(), compared.is_empty()) {
            (true, true) => Ok(Self::default()),
            (false, true) => Self::of_profiles(profiles, noise_scale),
            (true, false) => Self::of_comparisons(compared),
            (false, false) => Err(fault(
                "readings must be either profiles of texts or comparisons, because their values cannot be \
                 combined"
                    .into(),
            )),
        }
    }

    fn of_profiles(profiles: &[Profile], noise_scale: Option<f64>) -> Result<Self> {
        let at =
            noise_scale.map_or_else(|| "without added noise".to_owned(), |b| format!("at noise scale {b}"));
        let mut groups: BTreeMap<&str, Vec<&Profile>> = BTreeMap::new();
        profiles.iter().for_each(|profile| groups.entry(&profile.corpus.name).or_default().push(profile));
        let way = |profile: &Profile| reader_name(profile, noise_scale, Some(profile.corpus.n_windows));
        let reader = one(profiles.iter().map(|profile| (profile.corpus.name.clone(), way(profile))))?;
        let seeds = |profiles: &[&Profile]| {
            let mut seeds: Vec<u64> = profiles.iter().map(|profile| profile.estimator.seed).collect();
            seeds.sort_unstable();
            format!("seeds {seeds:?}")
        };
        one(groups.iter().map(|(name, profiles)| ((*name).to_owned(), seeds(profiles))))?;
        let mut by_name = BTreeMap::new();
        for (name, profiles) in groups {
            check_repetitions(&profiles)?;
            let reading = TextReading::new(&profiles, noise_scale).ok_or_else(|| {
                let reader = &profiles[0].model.id;
                fault(format!(
                    "{reader} on texts of {name} has no headline {at}; measure the texts with \
                     the --scale of the profiles"
                ))
            })?;
            by_name.insert(name.to_owned(), reading);
        }
        Ok(Self { reader, by_name })
    }

    /// Collects the value of each group. Every pair with the group repeats this value.
    fn of_comparisons(compared: &[ComparisonRow]) -> Result<Self> {
        let way = |row: &ComparisonRow| {
            let ComparisonRow { model, scale, noise_scale, n_windows, window_tokens, seed, .. } = row;
            let b = noise_scale.map_or_else(String::new, |b| b.to_string());
            format!("{model}, compared at {scale} {b}, {n_windows} windows of {window_tokens}, seed {seed}")
        };
        let reader =
            one(compared.iter().map(|row| (format!("{} and {}", row.group_a, row.group_b), way(row))))?;
        let mut by_name: BTreeMap<String, TextReading> = BTreeMap::new();
        for row in compared {
            for (name, value) in [(&row.group_a, row.a_nats), (&row.group_b, row.b_nats)] {
                let reading = by_name.entry(name.clone()).or_default();
                let cell = match row.quantity.as_str() {
                    "emergence" => &mut reading.nats,
                    "emergence_less_control" => &mut reading.less_control_nats,
                    other => {
                        return Err(fault(format!(
                            "comparisons contain the unknown quantity `{other}`; only `emergence` and \
                             `emergence_less_control` can be joined"
                        )));
                    }
                };
                if cell.is_some_and(|known| !same(known, value)) {
                    return Err(fault(format!("{} of {name} occurs with two values", row.quantity)));
                }
                cell.get_or_insert(value);
            }
        }
        Ok(Self { reader, by_name })
    }

    /// Assigns each group to the target that wrote it. The name of the group must be the name of the target
    /// (`--` may replace each slash), optionally preceded by the name of the file of texts and a dot.
    ///
    /// # Errors
    /// [`Error::Observations`] if two groups belong to one target.
    pub fn assign(&self, targets: &BTreeSet<&str>) -> Result<AssignedReadings> {
        let mut assigned = AssignedReadings::default();
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, reading) in &self.by_name {
            let wrote = |target: &&&str| {
                let ends = |target: &str| {
                    name.strip_suffix(target).is_some_and(|head| head.is_empty() || head.ends_with('.'))
                };
                ends(target) || ends(&target.replace('/', "--"))
            };
            // The longest name wins: `texts.mini.gpt` belongs to `mini.gpt`, not to `gpt`.
            let Some(target) =
                targets.iter().chain(&[REFERENCE]).filter(wrote).max_by_key(|target| target.len())
            else {
                assigned.unmatched.push(name.clone());
                continue;
            };
            if let Some(other) = taken.insert(target, name) {
                return Err(fault(format!(
                    "{other} and {name} both contain texts of {target}; measure them as one group"
                )));
            }
            assigned.by_target.insert((*target).into(), *reading);
        }
        Ok(assigned)
    }
}

/// Readings by target.
#[derive(Debug, Clone, Default)]
pub(super) struct AssignedReadings {
    by_target: BTreeMap<String, TextReading>,
    /// Groups that match no target.
    pub unmatched: Vec<String>,
}

impl AssignedReadings {
    /// The reading of a target's texts.
    pub fn of(&self, target: &str) -> TextReading {
        self.by_target.get(target).copied().unwrap_or_default()
    }

    /// The reading of the texts that no model wrote.
    pub fn reference(&self) -> TextReading {
        self.of(REFERENCE)
    }
}

fn fault(reason: String) -> Error {
    Error::Observations { reason }
}

/// Whether two values of one group agree. In another pair the group's states are summed in a different order,
/// which changes the last digits.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME * a.abs().max(b.abs()).max(1.0)
}

/// The reader and settings that all readings share.
fn one(mut ways: impl Iterator<Item = (String, String)>) -> Result<String> {
    let Some((first, way)) = ways.next() else { return Ok(String::new()) };
    match ways.find(|(_, other)| *other != way) {
        None => Ok(way),
        Some((name, other)) => Err(fault(format!(
            "texts of {first} were read by {way}, but texts of {name} by {other}; read all texts in the \
             same way, with --windows set to the smallest number of windows among them"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(group_a: &str, group_b: &str, [a_nats, b_nats]: [f64; 2]) -> ComparisonRow {
        ComparisonRow {
            model: "reader".into(),
            group_a: group_a.into(),
            group_b: group_b.into(),
            quantity: "emergence".into(),
            scale: "rms".into(),
            noise_scale: Some(0.4),
            window_tokens: 8,
            n_windows: 60,
            a_nats,
            b_nats,
            seed: 1,
        }
    }

    #[test]
    fn a_group_in_two_pairs_may_differ_in_its_last_digits_and_no_more() {
        let pairs = |again: f64| [compared("a", "b", [2.0, 1.0]), compared("a", "c", [again, 3.0])];
        let readings = TextReadings::new(&[], &pairs(2.0 * (1.0 + 3e-9)), Some(0.4)).expect("one value");
        assert_eq!(readings.by_name["a"].nats, Some(2.0));
        let two = TextReadings::new(&[], &pairs(2.0 * (1.0 + 3e-6)), Some(0.4)).expect_err("two values");
        assert!(two.to_string().contains("emergence of a occurs with two values"), "{two}");
    }
}
