//! Profiles, scores and readings joined into one table: a row per target and corpus, with what is known of a small proxy from inside and of the target from outside. A target without a
//! profile is a closed model; its own columns are empty.

use std::collections::{BTreeMap, BTreeSet};

use super::accuracy;
use super::features::{FEATURES, features, mean, variance};
use crate::collect::Score;
use crate::error::{Error, Result};
use crate::mi::Scale;
use crate::profile::Profile;

/// What is joined.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Profiles of open models; several of one model and corpus are repetitions with other seeds.
    pub profiles: Vec<Profile>,
    /// Scores of open and closed models.
    pub scores: Vec<Score>,
    /// Profiles of one small reader on texts: each corpus is named after the model that wrote it; `reference` after none.
    pub readings: Vec<Profile>,
    /// Family and billions of parameters of models that have no profile, as far as they are published.
    pub published: BTreeMap<String, (String, Option<f64>)>,
    /// The proxy of every target; else the smallest measured member of its family.
    pub proxy: Option<String>,
    /// The estimator's setting.
    pub setting: f64,
}

/// Name of the corpus of texts that no model wrote.
const REFERENCE: &str = "reference";

/// One model on one corpus, over all seeds.
struct Measured<'a> {
    profiles: Vec<&'a Profile>,
    headline_nats: f64,
    learned_nats: f64,
    twin_nats: f64,
    /// Of the mean over seeds: the estimator's own.
    stderr_nats: f64,
    /// Of the mean over seeds: from how they differ.
    seed_stderr_nats: Option<f64>,
    features: Vec<Option<f64>>,
}

impl<'a> Measured<'a> {
    fn new(profiles: Vec<&'a Profile>, setting: f64) -> Option<Self> {
        let headlines = profiles.iter().map(|p| p.headline_at(setting)).collect::<Option<Vec<_>>>()?;
        let all = |value: &dyn Fn(usize) -> f64| (0..headlines.len()).map(value).collect::<Vec<f64>>();
        let n = headlines.len() as f64;
        let vectors: Vec<Vec<Option<f64>>> = profiles.iter().map(|p| features(p, setting)).collect();
        let feature = |j: usize| {
            let known: Option<Vec<f64>> = vectors.iter().map(|vector| vector[j]).collect();
            known.and_then(|known| mean(&known))
        };
        Some(Self {
            headline_nats: mean(&all(&|at| headlines[at].emergence_nats))?,
            learned_nats: mean(&all(&|at| headlines[at].learned_nats))?,
            twin_nats: mean(&all(&|at| headlines[at].twin_nats))?,
            stderr_nats: all(&|at| headlines[at].stderr_nats.powi(2)).iter().sum::<f64>().sqrt() / n,
            seed_stderr_nats: variance(&all(&|at| headlines[at].emergence_nats)).map(|v| (v / n).sqrt()),
            features: (0..FEATURES.len()).map(feature).collect(),
            profiles,
        })
    }
}

/// The joined table: a header and its rows, sorted by corpus and target.
///
/// # Errors
/// [`Error::Fit`] if there is no profile, if profiles of one corpus were not measured alike, or if a target has no proxy.
pub fn join(sources: &Sources) -> Result<Vec<Vec<String>>> {
    let mut measured: BTreeMap<&str, BTreeMap<&str, Vec<&Profile>>> = BTreeMap::new();
    for profile in &sources.profiles {
        measured.entry(&profile.corpus.name).or_default().entry(&profile.model.id).or_default().push(profile);
    }
    if measured.is_empty() {
        return Err(Error::Fit {
            reason: "there is no profile; measure the proxy first (surmise measure -o DIR)".into(),
        });
    }
    let tasks: BTreeSet<&str> = sources.scores.iter().map(|score| score.task.as_str()).collect();
    let mut table = vec![header(&tasks)];
    for (corpus, models) in &measured {
        alike(corpus, models.values().flatten())?;
        let mut targets: BTreeSet<&str> = models.keys().copied().collect();
        targets.extend(sources.scores.iter().map(|score| score.model.as_str()));
        targets.extend(sources.published.keys().map(String::as_str));
        for target in targets {
            if let Some(row) = row(sources, corpus, models, target, &tasks)? {
                table.push(row);
            }
        }
    }
    Ok(table)
}

fn header(tasks: &BTreeSet<&str>) -> Vec<String> {
    let fixed = "target_model family params_b proxy_model proxy_params_b corpus corpus_sha256 n_windows shots scale setting emergence_nats \
                 emergence_stderr_nats seed_stderr_nats n_seeds learned_nats twin_nats proxy_headline_nats";
    let mut header: Vec<String> = fixed.split_whitespace().map(Into::into).collect();
    header.extend(FEATURES.map(|name| format!("proxy_{name}")));
    header.extend(["accuracy_logit", "accuracy_slope", "reading_nats", "reading_gain_nats"].map(Into::into));
    for task in tasks {
        header.extend(["logit", "slope", "logprob_nats"].map(|what| format!("score_{task}_{what}")));
    }
    header.extend(FEATURES.map(Into::into));
    header
}

/// One row; `None` for a target that is its own proxy, of which nothing could be learnt.
fn row(
    sources: &Sources,
    corpus: &str,
    models: &BTreeMap<&str, Vec<&Profile>>,
    target: &str,
    tasks: &BTreeSet<&str>,
) -> Result<Option<Vec<String>>> {
    let fault = |reason: String| Error::Fit { reason: format!("{target} on {corpus}: {reason}") };
    let no_headline = |name: &str| fault(format!("{name} has no headline at {}; it needs two blocks", sources.setting));
    let own = models
        .get(target)
        .map(|profiles| Measured::new(profiles.clone(), sources.setting).ok_or_else(|| no_headline(target)));
    let own = own.transpose()?;
    let published = sources.published.get(target);
    let family = match (&own, published) {
        (Some(own), _) => own.profiles[0].model.family.clone(),
        (None, Some((family, _))) => family.clone(),
        (None, None) => String::new(),
    };
    let proxy = sources.proxy.clone().or_else(|| smallest(models, &family)).ok_or_else(|| {
        fault(
            "has no proxy: no member of its family was measured; name one with --proxy, or its family with --models"
                .into(),
        )
    })?;
    if proxy == target {
        return Ok(None);
    }
    let inside =
        models.get(proxy.as_str()).ok_or_else(|| fault(format!("the proxy {proxy} was not measured on it")))?;
    let inside = Measured::new(inside.clone(), sources.setting).ok_or_else(|| no_headline(&proxy))?;
    let first = inside.profiles[0];
    let params = |n: usize| n as f64 / 1e9;
    let size = own.as_ref().map(|own| params(own.profiles[0].model.n_params)).or(published.and_then(|p| p.1));
    let of_own = |value: &dyn Fn(&Measured) -> Option<f64>| cell(own.as_ref().and_then(value));
    let mut row = vec![target.to_owned(), family, cell(size), proxy.clone(), cell(Some(params(first.model.n_params)))];
    row.extend([corpus.to_owned(), texts(&inside.profiles), first.corpus.n_windows.to_string()]);
    row.extend([first.corpus.shots.to_string(), scale(first.estimator.scale).into(), sources.setting.to_string()]);
    row.push(of_own(&|own| Some(own.headline_nats)));
    row.push(of_own(&|own| Some(own.stderr_nats.hypot(own.seed_stderr_nats.unwrap_or(0.0)))));
    row.push(of_own(&|own| own.seed_stderr_nats));
    row.push(own.as_ref().map_or(String::new(), |own| own.profiles.len().to_string()));
    row.push(of_own(&|own| Some(own.learned_nats)));
    row.push(of_own(&|own| Some(own.twin_nats)));
    row.push(cell(Some(inside.headline_nats)));
    row.extend(inside.features.iter().map(|value| cell(*value)));
    let (level, slope) = accuracy(&sources.scores, target, corpus).unzip();
    row.extend([cell(level), cell(slope)]);
    let (reading, gain) = reading(sources, target);
    row.extend([cell(reading), cell(gain)]);
    for task in tasks {
        let (level, slope) = accuracy(&sources.scores, target, task).unzip();
        let of_task = sources.scores.iter().filter(|score| score.model == target && score.task == **task);
        let logprobs: Vec<f64> = of_task.filter_map(|score| score.mean_logprob).collect();
        row.extend([cell(level), cell(slope), cell(mean(&logprobs))]);
    }
    row.extend((0..FEATURES.len()).map(|j| of_own(&|own| own.features[j])));
    Ok(Some(row))
}

/// An empty cell for what is missing, and for what no CSV should hold.
fn cell(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}

fn scale(scale: Scale) -> &'static str {
    match scale {
        Scale::Spread => "spread",
        Scale::Norm => "norm",
    }
}

/// The hashes of the texts, one per seed.
fn texts(profiles: &[&Profile]) -> String {
    let hashes: BTreeSet<&str> = profiles.iter().map(|profile| profile.corpus.sha256.as_str()).collect();
    hashes.into_iter().collect::<Vec<_>>().join(" ")
}

fn smallest(models: &BTreeMap<&str, Vec<&Profile>>, family: &str) -> Option<String> {
    let members = models.values().filter_map(|profiles| profiles.first()).filter(|p| p.model.family == family);
    members.min_by_key(|profile| profile.model.n_params).map(|profile| profile.model.id.clone())
}

/// The reader's emergence on what the target wrote, and beyond that on the reference.
fn reading(sources: &Sources, target: &str) -> (Option<f64>, Option<f64>) {
    let on = |name: &str| {
        let of = sources.readings.iter().filter(|profile| profile.corpus.name == name);
        let headlines: Vec<f64> = of.filter_map(|p| p.headline_at(sources.setting)).map(|h| h.emergence_nats).collect();
        mean(&headlines)
    };
    let own = on(&target.replace('/', "--")).or_else(|| on(target));
    (own, own.zip(on(REFERENCE)).map(|(own, reference)| own - reference))
}

/// Emergence is compared on the same texts, measured with the same estimator, seed by seed.
fn alike<'a>(corpus: &str, profiles: impl Iterator<Item = &'a &'a Profile>) -> Result<()> {
    let mut by_seed: BTreeMap<u64, &Profile> = BTreeMap::new();
    for profile in profiles {
        let first = *by_seed.entry(profile.estimator.seed).or_insert(profile);
        if first.corpus.sha256 != profile.corpus.sha256 || first.estimator != profile.estimator {
            let reason = format!(
                "{} and {} were measured on other texts of {corpus}, or otherwise; measure them with the same --windows, --shots, --seed and --scale",
                first.model.id, profile.model.id
            );
            return Err(Error::Fit { reason });
        }
    }
    Ok(())
}
