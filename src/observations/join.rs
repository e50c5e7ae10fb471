//! Profiles, scores and readings joined into one table: a row per target and corpus. A target without a
//! profile is a closed model, whose own columns are empty.

use std::collections::{BTreeMap, BTreeSet};

use super::accuracy::accuracy;
use super::checks::check_profiles;
use super::inputs::JoinInputs;
use super::measured::MeasuredModel;
use super::observation::{Observation, TaskScore};
use super::readings::{AssignedReadings, TextReadings};
use crate::emergence::Profile;
use crate::error::{Error, Result};

/// The joined table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// A header and its rows, sorted by corpus and target. `status` is `ok`, or `unsupported` with the
    /// reason in `note`.
    pub table: Vec<Vec<String>>,
    /// Rows that are not `ok`.
    pub n_unsupported: usize,
    /// Groups of readings that match no target.
    pub unmatched: Vec<String>,
}

/// Profiles of one corpus, by model.
type ProfilesByModel<'a> = BTreeMap<&'a str, Vec<&'a Profile>>;

/// Joins profiles, scores and readings. A target that lacks a proxy is a row without one, with a note.
///
/// # Errors
/// [`Error::Observations`] if there is no profile, if profiles of one corpus or readings were not measured
/// alike, or if the proxy that was named was not measured.
pub fn join(inputs: &JoinInputs) -> Result<Joined> {
    let mut measured: BTreeMap<&str, ProfilesByModel> = BTreeMap::new();
    for profile in &inputs.profiles {
        measured.entry(&profile.corpus.name).or_default().entry(&profile.model.id).or_default().push(profile);
    }
    if measured.is_empty() {
        return Err(Error::Observations {
            reason: "there is no profile; measure the proxy first (surmise measure -o DIR)".into(),
        });
    }
    check_profiles(&inputs.profiles)?;
    let readings = TextReadings::new(&inputs.readings, &inputs.comparisons, inputs.noise_scale)?;
    let tasks: BTreeSet<&str> = inputs.scores.iter().map(|score| score.task.as_str()).collect();
    let scored = inputs.scores.iter().map(|score| score.model.as_str());
    let others: BTreeSet<&str> = scored.chain(inputs.published.keys().map(String::as_str)).collect();
    let known: BTreeSet<&str> = measured.values().flat_map(BTreeMap::keys).chain(&others).copied().collect();
    let assigned = readings.assign(&known)?;
    let mut joined =
        Joined { table: vec![header(&tasks)], n_unsupported: 0, unmatched: assigned.unmatched.clone() };
    for (corpus, models) in &measured {
        let join = CorpusJoin {
            inputs,
            reader: &readings.reader,
            assigned: &assigned,
            tasks: &tasks,
            corpus,
            models,
        };
        let targets: BTreeSet<&str> = models.keys().chain(&others).copied().collect();
        for target in targets {
            if let Some(row) = join.observation(target)? {
                joined.n_unsupported += usize::from(!row.is_ok());
                joined.table.push(row.cells().into_iter().map(|cell| cell.text).collect());
            }
        }
    }
    Ok(joined)
}

fn header(tasks: &BTreeSet<&str>) -> Vec<String> {
    let tasks = tasks.iter().map(|task| TaskScore { task, accuracy: None, logprob_nats: None });
    let row = Observation { tasks: tasks.collect(), ..Observation::default() };
    row.cells().into_iter().map(|cell| cell.name).collect()
}

/// The join on one corpus.
struct CorpusJoin<'a> {
    inputs: &'a JoinInputs,
    reader: &'a str,
    assigned: &'a AssignedReadings,
    tasks: &'a BTreeSet<&'a str>,
    corpus: &'a str,
    models: &'a ProfilesByModel<'a>,
}

impl<'a> CorpusJoin<'a> {
    fn profile(&self, model: &str) -> Option<&'a Profile> {
        self.models.get(model).and_then(|profiles| profiles.first()).copied()
    }

    fn measured(&self, model: &str) -> std::result::Result<Option<MeasuredModel<'a>>, String> {
        let Some(profiles) = self.models.get(model) else { return Ok(None) };
        let noise_scale = self.inputs.noise_scale;
        MeasuredModel::new(profiles.clone(), noise_scale).map(Some)
    }

    /// The proxy of a family, or why there is none.
    fn proxy(&self, family: &str) -> std::result::Result<String, String> {
        let smallest = || self.smallest(family).filter(|_| !family.is_empty());
        self.inputs.proxy.clone().or_else(smallest).ok_or_else(|| match family {
            "" => "no proxy: its family is not known; name it with --models or measure --family, or a proxy \
                   with --proxy"
                .into(),
            _ => format!("no proxy: no member of the family {family} was measured; name one with --proxy"),
        })
    }

    /// The smallest measured member of a family.
    fn smallest(&self, family: &str) -> Option<String> {
        let first = self.models.values().filter_map(|profiles| profiles.first());
        let members = first.filter(|p| self.inputs.family(&p.model.id, Some(p)) == family);
        members.min_by_key(|profile| profile.model.n_params).map(|profile| profile.model.id.clone())
    }

    /// The row of a target; `None` for a target that is its own proxy, from which nothing could be learnt.
    fn observation(&self, target: &'a str) -> Result<Option<Observation<'a>>> {
        let inputs = self.inputs;
        let family = inputs.family(target, self.profile(target));
        let (proxy_model, mut note) =
            self.proxy(family).map_or_else(|why| (String::new(), why), |name| (name, String::new()));
        if proxy_model == target {
            return Ok(None);
        }
        if !proxy_model.is_empty() && !self.models.contains_key(proxy_model.as_str()) {
            let reason =
                format!("{target} on {}: the proxy {proxy_model} was not measured on it", self.corpus);
            return Err(Error::Observations { reason });
        }
        let mut find = |model: &str| {
            self.measured(model).unwrap_or_else(|why| {
                note = why;
                None
            })
        };
        let (own, mut proxy) = (find(target), find(&proxy_model));
        // Differences between models and between texts can only be told apart where both saw the same texts.
        if let (Some(own), Some(other)) = (&own, &proxy)
            && own.seeds() != other.seeds()
        {
            let list = |seeds: BTreeSet<u64>| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            note = format!(
                "{target} was measured with seeds {} and its proxy {proxy_model} with {}; measure both with \
                 the same",
                list(own.seeds()),
                list(other.seeds())
            );
            proxy = None;
        }
        // All profiles of a corpus were measured alike.
        let proxy_profiles = self.models.get(proxy_model.as_str());
        let alike = proxy_profiles.or_else(|| self.models.values().next()).map_or(&[][..], Vec::as_slice);
        let first = alike.first();
        let params_b = |profile: &Profile| profile.model.n_params as f64 / 1e9;
        let own_params_b = own.as_ref().map(|own| params_b(own.profiles[0]));
        let published = inputs.published.get(target);
        Ok(Some(Observation {
            target_model: target,
            family,
            params_b: own_params_b.or(published.and_then(|known| known.params_b)),
            proxy_params_b: proxy_profiles.map(|profiles| params_b(profiles[0])),
            corpus: self.corpus,
            corpus_sha256: hashes(alike),
            n_windows: first.map(|profile| profile.corpus.n_windows),
            shots: first.map(|profile| profile.corpus.shots),
            scale: first.map_or("", |profile| profile.estimator.scale.name()),
            noise_scale: inputs.noise_scale,
            reader: self.reader,
            own,
            proxy,
            accuracy: accuracy(&inputs.scores, target, self.corpus),
            reading: self.assigned.of(target),
            reference: self.assigned.reference(),
            tasks: self.tasks.iter().map(|task| TaskScore::new(&inputs.scores, target, task)).collect(),
            added: vec![],
            proxy_model,
            note,
        }))
    }
}

/// The hashes of the texts, one per seed.
pub(super) fn hashes(profiles: &[&Profile]) -> String {
    let hashes: BTreeSet<&str> = profiles.iter().map(|profile| profile.corpus.sha256.as_str()).collect();
    hashes.into_iter().collect::<Vec<_>>().join(" ")
}
