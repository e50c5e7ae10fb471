//! Observations over several corpora: one row per target with the means over all corpora, in the columns of
//! observations.csv and those that a study adds. Rows have no proxy.

use std::collections::{BTreeMap, BTreeSet};

use super::accuracy::accuracy;
use super::cell::{Cell, TaskScore};
use super::checks::check_alike;
use super::features::mean;
use super::join::hashes;
use super::measured::MeasuredModel;
use super::observation::Observation;
use super::readings::{TextReading, reader_name};
use crate::collect::Score;
use crate::emergence::Profile;
use crate::error::{Error, Result};

/// A target on all corpora of a study.
pub(crate) struct CorporaTarget<'a> {
    pub model: &'a str,
    /// Empty if it is not known.
    pub family: &'a str,
    /// Billions of parameters, if published.
    pub params_b: Option<f64>,
    /// Its profiles, one for each corpus; none for a closed model.
    pub profiles: &'a [Profile],
    /// The profile of its texts by the reader of all targets.
    pub reading: Option<&'a Profile>,
    pub scores: &'a [Score],
    /// Features that the study adds, by column, in the same order for every target.
    pub added: Vec<(&'a str, Option<f64>)>,
}

/// A header and one row per target, in the order of the targets.
///
/// # Errors
/// [`Error::Observations`] if no target was measured, or two on other texts or otherwise, or if one has no
/// headline at the noise scale.
pub(crate) fn over_corpora(targets: &[CorporaTarget], noise_scale: Option<f64>) -> Result<Vec<Vec<String>>> {
    let mut by_corpus: BTreeMap<&str, Vec<&Profile>> = BTreeMap::new();
    for profile in targets.iter().flat_map(|target| target.profiles) {
        by_corpus.entry(&profile.corpus.name).or_default().push(profile);
    }
    by_corpus.iter().try_for_each(|(corpus, profiles)| check_alike(corpus, profiles.iter()))?;
    let measured = targets.iter().find(|target| !target.profiles.is_empty());
    let alike: Vec<&Profile> = measured.map_or_else(Vec::new, |target| target.profiles.iter().collect());
    let first = *alike.first().ok_or_else(|| Error::Observations {
        reason: "no target was measured; measure one at least".into(),
    })?;
    let corpora: Vec<&str> = alike.iter().map(|profile| profile.corpus.name.as_str()).collect();
    let corpus = corpora.join(" ");
    let readings = targets.iter().find_map(|target| target.reading);
    let reader = readings.map_or_else(String::new, |reading| reader_name(reading, noise_scale, None));
    let scores = targets.iter().flat_map(|target| target.scores);
    let tasks: BTreeSet<&str> = scores.map(|score| score.task.as_str()).collect();
    let row = |target: &CorporaTarget| -> Result<Vec<Cell>> {
        let own = match target.profiles {
            [] => None,
            profiles => Some(
                MeasuredModel::over_corpora(profiles.iter().collect(), noise_scale)
                    .map_err(|reason| Error::Observations { reason })?,
            ),
        };
        let accuracies: Option<Vec<(f64, f64)>> =
            corpora.iter().map(|corpus| accuracy(target.scores, target.model, corpus)).collect();
        let (levels, slopes): (Vec<f64>, Vec<f64>) = accuracies.unwrap_or_default().into_iter().unzip();
        let reading = target.reading.and_then(|profile| TextReading::new(&[profile], noise_scale));
        let observation = Observation {
            target_model: target.model,
            family: target.family,
            params_b: target.params_b,
            corpus: &corpus,
            corpus_sha256: hashes(&alike),
            n_windows: Some(first.corpus.n_windows),
            shots: Some(first.corpus.shots),
            scale: first.estimator.scale.name(),
            noise_scale,
            reader: &reader,
            own,
            accuracy: mean(&levels).zip(mean(&slopes)),
            reading: reading.unwrap_or_default(),
            tasks: tasks.iter().map(|task| TaskScore::new(target.scores, target.model, task)).collect(),
            added: target.added.clone(),
            ..Observation::default()
        };
        Ok(observation.cells())
    };
    let rows = targets.iter().map(row).collect::<Result<Vec<_>>>()?;
    let header = rows.first().into_iter().map(|row| row.iter().map(|cell| cell.name.clone()).collect());
    let cells = rows.iter().map(|row| row.iter().map(|cell| cell.text.clone()).collect());
    Ok(header.chain(cells).collect())
}
