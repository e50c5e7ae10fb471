//! Joins profiles, scores and readings into one table, with a row per target and corpus. A target without a
//! profile is a closed model, whose own columns are empty.

use std::collections::{BTreeMap, BTreeSet};

use super::accuracy::accuracy;
use super::cell::TaskScore;
use super::checks::check_profiles;
use super::inputs::JoinInputs;
use super::join_notes::JoinNotes;
use super::measured::MeasuredModel;
use super::observation::Observation;
use super::proxy::{Candidates, Matched};
use super::readings::{AssignedReadings, TextReadings};
use super::score_settings::check_scores;
use crate::emergence::Profile;
use crate::error::{Error, Result};

/// The joined table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// The header and the rows, sorted by corpus and target. `status` is `ok`, or `unsupported` with the
    /// reason in `note`.
    pub table: Vec<Vec<String>>,
    /// The number of rows that are not `ok`.
    pub n_unsupported: usize,
    /// The groups of readings that match no target.
    pub unmatched: Vec<String>,
    /// Notes, one sentence each: models without a proxy, models without a row, and families, sizes and scores
    /// that differ between inputs.
    pub notes: Vec<String>,
}

/// The profiles of one corpus, by model.
type ProfilesByModel<'a> = BTreeMap<&'a str, Vec<&'a Profile>>;

/// Joins profiles, scores and readings. A target without a proxy gets a row with empty proxy columns, and a
/// note. A model that is the proxy of other models gets no row.
///
/// # Errors
/// [`Error::Observations`] if there is no profile, if profiles of one corpus or readings were measured in
/// different ways, if scores of a task have different settings, or if the given proxy was not measured.
pub fn join(inputs: &JoinInputs) -> Result<Joined> {
    let mut measured: BTreeMap<&str, ProfilesByModel> = BTreeMap::new();
    for profile in &inputs.profiles {
        measured.entry(&profile.corpus.name).or_default().entry(&profile.model.id).or_default().push(profile);
    }
    if measured.is_empty() {
        return Err(Error::Observations {
            reason: "there is no profile; first measure the proxy (surmise measure -o DIR)".into(),
        });
    }
    check_profiles(&inputs.profiles)?;
    let mut notes = JoinNotes::default();
    notes.extend(check_scores(&inputs.scores, inputs.mixed_scores)?);
    let readings = TextReadings::new(&inputs.readings, &inputs.comparisons, inputs.noise_scale)?;
    let tasks: BTreeSet<&str> = inputs.scores.iter().map(|score| score.task.as_str()).collect();
    let scored = inputs.scores.iter().map(|score| score.model.as_str());
    let others: BTreeSet<&str> = scored.chain(inputs.published.keys().map(String::as_str)).collect();
    let known: BTreeSet<&str> = measured.values().flat_map(BTreeMap::keys).chain(&others).copied().collect();
    let assigned = readings.assign(&known)?;
    let unmatched = assigned.unmatched.clone();
    let mut joined = Joined { table: vec![header(&tasks)], unmatched, ..Joined::default() };
    for (corpus, models) in &measured {
        let first = models.iter().filter_map(|(model, profiles)| Some((*model, &profiles.first()?.model)));
        let targets: BTreeSet<&str> = models.keys().chain(&others).copied().collect();
        let published = (&inputs.published, inputs.proxy.as_deref());
        let candidates = Candidates::new(corpus, first.collect(), published, &targets)?;
        notes.extend(candidates.contradictions());
        let join = CorpusJoin {
            inputs,
            reader: &readings.reader,
            assigned: &assigned,
            tasks: &tasks,
            corpus,
            models,
            candidates,
        };
        for target in targets {
            let Some(row) = join.observation(target)? else {
                notes.add_proxy(target);
                continue;
            };
            if !row.note.is_empty() {
                notes.add_alone(target, corpus, &row.note);
            }
            joined.n_unsupported += usize::from(!row.is_ok());
            joined.table.push(row.cells().into_iter().map(|cell| cell.text).collect());
        }
    }
    joined.notes = notes.sentences();
    Ok(joined)
}

fn header(tasks: &BTreeSet<&str>) -> Vec<String> {
    let tasks = tasks.iter().map(|task| TaskScore::unknown(task));
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
    candidates: Candidates<'a>,
}

impl<'a> CorpusJoin<'a> {
    fn measured(&self, model: &str) -> std::result::Result<Option<MeasuredModel<'a>>, String> {
        let Some(profiles) = self.models.get(model) else { return Ok(None) };
        let noise_scale = self.inputs.noise_scale;
        MeasuredModel::new(profiles.clone(), noise_scale).map(Some)
    }

    /// The row of a target; `None` if the target is the proxy of other targets, because a calibration cannot
    /// learn from such a row.
    fn observation(&self, target: &'a str) -> Result<Option<Observation<'a>>> {
        let inputs = self.inputs;
        let matched = self.candidates.matched(target, |model| self.measured(model), MeasuredModel::seeds)?;
        let Some(Matched { proxy_model, own, proxy, unsupported, alone }) = matched else {
            return Ok(None);
        };
        // All profiles of a corpus were measured in the same way, so the settings of any profile apply to all
        // of them.
        let of_proxy = self.models.get(proxy_model);
        let alike = of_proxy.or_else(|| self.models.values().next()).map_or(&[][..], Vec::as_slice);
        let first = alike.first();
        Ok(Some(Observation {
            target_model: target,
            family: self.candidates.family(target),
            params_b: self.candidates.params_b(target),
            proxy_params_b: of_proxy.and_then(|_| self.candidates.params_b(proxy_model)),
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
            proxy_model: proxy_model.to_owned(),
            unsupported,
            note: alone,
        }))
    }
}

/// The hashes of the texts, one per seed.
pub(super) fn hashes(profiles: &[&Profile]) -> String {
    let hashes: BTreeSet<&str> = profiles.iter().map(|profile| profile.corpus.sha256.as_str()).collect();
    hashes.into_iter().collect::<Vec<_>>().join(" ")
}
