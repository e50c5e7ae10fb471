//! Joins semantic profiles, scores and answers into one table, with a row per target, corpus and number of
//! examples. A target without a profile is a closed model, whose own columns are empty.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{SemanticAnswersRow, check_answers};
use super::inputs::SemanticInputs;
use super::measured::MeasuredShare;
use super::observation::SemanticObservation;
use crate::emergence::semantic::SemanticProfile;
use crate::error::{Error, Result};
use crate::numeric::shown::count;
use crate::observations::accuracy::accuracy;
use crate::observations::cell::TaskScore;
use crate::observations::checks::check_profiles;
use crate::observations::join::Joined;
use crate::observations::join_notes::JoinNotes;
use crate::observations::proxy::{Candidates, Matched};
use crate::observations::score_settings::check_scores;

/// Joins semantic profiles, scores and answers. A target without a proxy gets a row with empty proxy columns,
/// and a note.
///
/// # Errors
/// [`Error::Observations`] if there is no profile, if no profile has a requested number of examples, if
/// profiles of one corpus were measured in different ways, if answers belong to another design or were graded
/// in two ways, if scores of a task have different settings, or if the given proxy was not measured.
pub fn join(inputs: &SemanticInputs) -> Result<Joined> {
    let mut measured: BTreeMap<&str, BTreeMap<&str, Vec<&SemanticProfile>>> = BTreeMap::new();
    for profile in &inputs.profiles {
        measured.entry(&profile.corpus.name).or_default().entry(&profile.model.id).or_default().push(profile);
    }
    check_profiles(&inputs.profiles)?;
    check_answers(&inputs.answers)?;
    let mut notes = JoinNotes::default();
    notes.extend(check_scores(&inputs.scores, inputs.mixed_scores)?);
    let shots = shots(inputs)?;
    let tasks: BTreeSet<&str> = inputs.scores.iter().map(|score| score.task.as_str()).collect();
    let scored = inputs.scores.iter().map(|score| score.model.as_str());
    let answered = inputs.answers.iter().map(|row| row.model.as_str());
    let others: BTreeSet<&str> =
        scored.chain(answered).chain(inputs.published.keys().map(String::as_str)).collect();
    let header = SemanticObservation {
        tasks: tasks.iter().map(|task| TaskScore::unknown(task)).collect(),
        ..SemanticObservation::default()
    };
    let names = header.cells().into_iter().map(|cell| cell.name).collect();
    let mut joined = Joined { table: vec![names], ..Joined::default() };
    for (corpus, models) in &measured {
        let first = models.iter().filter_map(|(model, profiles)| Some((*model, &profiles.first()?.model)));
        let targets: BTreeSet<&str> = models.keys().chain(&others).copied().collect();
        let published = (&inputs.published, inputs.proxy.as_deref());
        let candidates = Candidates::new(corpus, first.collect(), published, &targets)?;
        notes.extend(candidates.contradictions());
        let join = CorpusJoin { inputs, tasks: &tasks, corpus, models, candidates };
        for target in targets {
            for shots in &shots {
                let Some(row) = join.observation(target, *shots)? else {
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
    }
    joined.notes = notes.sentences();
    Ok(joined)
}

/// The numbers of examples to make rows for, in increasing order.
fn shots(inputs: &SemanticInputs) -> Result<Vec<usize>> {
    let fault = |reason: String| Err(Error::Observations { reason });
    let known: BTreeSet<usize> = inputs
        .profiles
        .iter()
        .flat_map(|profile| profile.shots.iter().map(|summary| summary.shots))
        .filter(|shots| *shots > 0)
        .collect();
    let Some(most) = known.last().copied() else {
        return fault("there is no profile; first measure the proxy (surmise measure -o DIR)".into());
    };
    let wanted: BTreeSet<usize> = inputs.shots.iter().copied().collect();
    if let Some(shots) = wanted.iter().find(|shots| !known.contains(shots)) {
        let known: Vec<String> = known.iter().map(usize::to_string).collect();
        return fault(format!(
            "no profile has a share with {}; the profiles have shares with {} examples",
            count(*shots, "example"),
            known.join(", ")
        ));
    }
    Ok(if wanted.is_empty() { vec![most] } else { wanted.into_iter().collect() })
}

/// The join on one corpus.
struct CorpusJoin<'a> {
    inputs: &'a SemanticInputs,
    tasks: &'a BTreeSet<&'a str>,
    corpus: &'a str,
    models: &'a BTreeMap<&'a str, Vec<&'a SemanticProfile>>,
    candidates: Candidates<'a>,
}

impl<'a> CorpusJoin<'a> {
    fn measured(&self, model: &str, shots: usize) -> std::result::Result<Option<MeasuredShare<'a>>, String> {
        let profiles = self.models.get(model).map(|profiles| MeasuredShare::new(profiles.clone(), shots));
        profiles.transpose()
    }

    /// The row of a target at a number of examples; `None` if the target is the proxy of other targets,
    /// because a calibration cannot learn from such a row.
    fn observation(&self, target: &'a str, shots: usize) -> Result<Option<SemanticObservation<'a>>> {
        let measured = |model: &str| self.measured(model, shots);
        let matched = self.candidates.matched(target, measured, MeasuredShare::seeds)?;
        let Some(Matched { proxy_model, own, proxy, unsupported, alone }) = matched else {
            return Ok(None);
        };
        // All profiles of a corpus were measured in the same way, so the settings of any profile apply to all
        // of them.
        let of_proxy = self.models.get(proxy_model);
        let alike = of_proxy.or_else(|| self.models.values().next()).map_or(&[][..], Vec::as_slice);
        let first = alike.first();
        let hashes: BTreeSet<&str> = alike.iter().map(|profile| profile.corpus.sha256.as_str()).collect();
        Ok(Some(SemanticObservation {
            target_model: target,
            family: self.candidates.family(target),
            params_b: self.candidates.params_b(target),
            proxy_params_b: of_proxy.and_then(|_| self.candidates.params_b(proxy_model)),
            proxy_model: proxy_model.to_owned(),
            corpus: self.corpus,
            corpus_sha256: hashes.into_iter().collect::<Vec<_>>().join(" "),
            form: first.map_or("", |profile| &profile.corpus.form),
            sets: first.map(|profile| profile.corpus.sets),
            queries: first.map(|profile| profile.corpus.queries),
            shots: Some(shots),
            noise_scale: first.map(|profile| profile.default_noise_scale),
            answers: first
                .map_or_else(|| Ok(SemanticAnswersRow::default()), |p| self.answers(target, shots, p))?,
            accuracy: accuracy(&self.inputs.scores, target, self.corpus),
            tasks: self.tasks.iter().map(|task| TaskScore::new(&self.inputs.scores, target, task)).collect(),
            own,
            proxy,
            unsupported,
            note: alone,
        }))
    }

    /// The answers of a target to the prompts of this design; empty if the target was not asked.
    fn answers(&self, target: &str, shots: usize, profile: &SemanticProfile) -> Result<SemanticAnswersRow> {
        let is_wanted = |row: &&SemanticAnswersRow| {
            (row.model.as_str(), row.corpus.as_str(), row.shots) == (target, self.corpus, shots)
        };
        let mut rows = self.inputs.answers.iter().filter(is_wanted);
        let Some(row) = rows.next() else { return Ok(SemanticAnswersRow::default()) };
        let design = &profile.corpus;
        let differ = [
            ("form", row.form.clone(), design.form.clone()),
            ("sets", row.sets.map(|n| n.to_string()), design.sets.to_string()),
            ("queries", row.queries.map(|n| n.to_string()), design.queries.to_string()),
            ("seed", row.seed.map(|n| n.to_string()), profile.seed.to_string()),
            ("corpus_sha256", row.corpus_sha256.clone(), design.sha256.clone()),
        ];
        let reason = match differ.into_iter().find(|(_, of, own)| of.as_ref().is_some_and(|of| of != own)) {
            Some((what, of, own)) => format!(
                "the answers of {target} on {} belong to another design ({what}: {}, but {own} in the \
                 profiles); collect and measure with the same {what}",
                self.corpus,
                of.unwrap_or_default()
            ),
            None if rows.next().is_some() => format!(
                "answers of {target} on {} with {} are given twice; give each file once",
                self.corpus,
                count(shots, "example")
            ),
            None => return Ok(row.clone()),
        };
        Err(Error::Observations { reason })
    }
}
