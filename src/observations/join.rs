//! Profiles, scores and readings joined into one table: a row per target and corpus, with what is known of a
//! small proxy from inside and of the target from outside. A target without a profile is a closed model; its
//! own columns are empty.

use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::LN_2;

use super::accuracy;
use super::columns::FEATURES;
use super::features::{features, mean, over_seeds};
use super::readings::{Assigned, Compared, Readings};
use crate::collect::Score;
use crate::emergence::Profile;
use crate::error::{Error, Result};
use crate::mi::Scale;

/// What is joined.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Profiles of open models; several of one model and corpus are repetitions with other seeds.
    pub profiles: Vec<Profile>,
    /// Scores of open and closed models.
    pub scores: Vec<Score>,
    /// Profiles of one small reader on texts: each corpus is named after the model that wrote it;
    /// [`super::REFERENCE`] after none.
    pub readings: Vec<Profile>,
    /// Or comparisons of the same groups by one reader.
    pub compared: Vec<Compared>,
    /// Family and billions of parameters of models that have no profile, as far as they are published.
    pub published: BTreeMap<String, (String, Option<f64>)>,
    /// The proxy of every target; else the smallest measured member of its family.
    pub proxy: Option<String>,
    /// The estimator's noise scale, if it adds noise.
    pub noise_scale: Option<f64>,
}

/// One model on one corpus, over all seeds.
struct Measured<'a> {
    profiles: Vec<&'a Profile>,
    headline_nats: f64,
    learned_nats: f64,
    random_init_nats: f64,
    tokens_per_byte: Option<f64>,
    /// Of the mean over seeds: the estimator's own, if it states one.
    own_stderr_nats: Option<f64>,
    /// Of the mean over seeds: from how they differ.
    seed_stderr_nats: Option<f64>,
    features: Vec<Option<f64>>,
}

impl<'a> Measured<'a> {
    fn new(profiles: Vec<&'a Profile>, noise_scale: Option<f64>) -> Option<Self> {
        let headlines = profiles.iter().map(|p| p.headline_at(noise_scale)).collect::<Option<Vec<_>>>()?;
        let all = |value: &dyn Fn(usize) -> f64| (0..headlines.len()).map(value).collect::<Vec<f64>>();
        let stderrs: Vec<Option<f64>> = headlines.iter().map(|headline| headline.stderr_nats).collect();
        let errors = over_seeds(&all(&|at| headlines[at].emergence_nats), &stderrs);
        let per_byte: Option<Vec<f64>> = profiles.iter().map(|p| p.corpus.tokens_per_byte()).collect();
        let vectors: Vec<Vec<Option<f64>>> = profiles.iter().map(|p| features(p, noise_scale)).collect();
        let feature = |j: usize| {
            let known: Option<Vec<f64>> = vectors.iter().map(|vector| vector[j]).collect();
            known.and_then(|known| mean(&known))
        };
        Some(Self {
            headline_nats: mean(&all(&|at| headlines[at].emergence_nats))?,
            learned_nats: mean(&all(&|at| headlines[at].learned_nats))?,
            random_init_nats: mean(&all(&|at| headlines[at].random_init_nats))?,
            tokens_per_byte: per_byte.and_then(|tokens| mean(&tokens)),
            own_stderr_nats: errors.0,
            seed_stderr_nats: errors.1,
            features: (0..FEATURES.len()).map(feature).collect(),
            profiles,
        })
    }

    /// Of the mean over seeds: the estimator's own and the seeds'.
    fn stderr_nats(&self) -> Option<f64> {
        self.own_stderr_nats.map(|own| own.hypot(self.seed_stderr_nats.unwrap_or(0.0)))
    }

    fn seeds(&self) -> BTreeSet<u64> {
        self.profiles.iter().map(|profile| profile.estimator.seed).collect()
    }

    fn bits_per_byte(&self) -> Option<f64> {
        self.tokens_per_byte.map(|tokens| self.headline_nats * tokens / LN_2)
    }
}

/// The joined table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// A header and its rows, sorted by corpus and target. `status` is `ok`, or `unsupported` with the
    /// reason in `note`.
    pub table: Vec<Vec<String>>,
    /// Rows that are not `ok`.
    pub n_unsupported: usize,
    /// Groups of readings that no target wrote.
    pub strangers: Vec<String>,
}

/// Joins what was measured, scored and read. A target that lacks a proxy is a row without one, and says so.
///
/// # Errors
/// [`Error::Fit`] if there is no profile, if profiles of one corpus or readings were not measured alike, or
/// if the proxy that was named was not measured.
pub fn join(sources: &Sources) -> Result<Joined> {
    let mut measured: BTreeMap<&str, BTreeMap<&str, Vec<&Profile>>> = BTreeMap::new();
    for profile in &sources.profiles {
        measured.entry(&profile.corpus.name).or_default().entry(&profile.model.id).or_default().push(profile);
    }
    if measured.is_empty() {
        return Err(Error::Fit {
            reason: "there is no profile; measure the proxy first (surmise measure -o DIR)".into(),
        });
    }
    let readings = Readings::new(&sources.readings, &sources.compared, sources.noise_scale)?;
    let tasks: BTreeSet<&str> = sources.scores.iter().map(|score| score.task.as_str()).collect();
    let outside: BTreeSet<&str> = sources
        .scores
        .iter()
        .map(|score| score.model.as_str())
        .chain(sources.published.keys().map(String::as_str))
        .collect();
    let known: BTreeSet<&str> = measured.values().flat_map(BTreeMap::keys).chain(&outside).copied().collect();
    let assigned = readings.assign(&known)?;
    let mut joined =
        Joined { table: vec![header(&tasks)], n_unsupported: 0, strangers: assigned.strangers.clone() };
    for (corpus, models) in &measured {
        alike(corpus, models.values().flatten())?;
        models.values().try_for_each(|profiles| once(profiles))?;
        let place =
            Place { sources, reader: &readings.reader, assigned: &assigned, tasks: &tasks, corpus, models };
        let targets: BTreeSet<&str> = models.keys().chain(&outside).copied().collect();
        for target in targets {
            if let Some((row, is_ok)) = place.row(target)? {
                joined.table.push(row);
                joined.n_unsupported += usize::from(!is_ok);
            }
        }
    }
    Ok(joined)
}

fn header(tasks: &BTreeSet<&str>) -> Vec<String> {
    let words = |text: &str| text.split_whitespace().map(String::from).collect::<Vec<_>>();
    let mut header = words(
        "target_model family params_b proxy_model proxy_params_b corpus corpus_sha256 n_windows shots scale \
         noise_scale reader emergence_nats emergence_stderr_nats seed_stderr_nats n_seeds learned_nats \
         random_init_nats emergence_bits_per_byte proxy_headline_nats proxy_headline_stderr_nats",
    );
    header.extend(FEATURES.map(|name| format!("proxy_{name}")));
    header.extend(words(
        "accuracy_logit accuracy_slope reading_nats reading_stderr_nats reading_less_control_nats \
         reading_gain_nats reading_gain_less_control_nats reading_bits_per_byte",
    ));
    for task in tasks {
        header.extend(["logit", "slope", "logprob_nats"].map(|what| format!("score_{task}_{what}")));
    }
    header.extend(FEATURES.map(Into::into));
    header.extend(words("status note"));
    header
}

/// One corpus and what was measured on it.
struct Place<'a> {
    sources: &'a Sources,
    reader: &'a str,
    assigned: &'a Assigned,
    tasks: &'a BTreeSet<&'a str>,
    corpus: &'a str,
    models: &'a BTreeMap<&'a str, Vec<&'a Profile>>,
}

impl<'a> Place<'a> {
    fn measured(&self, name: &str) -> std::result::Result<Option<Measured<'a>>, String> {
        let Some(profiles) = self.models.get(name) else { return Ok(None) };
        let noise_scale = self.sources.noise_scale;
        let measured = Measured::new(profiles.clone(), noise_scale);
        measured
            .map(Some)
            .ok_or_else(|| format!("{name} has no headline at {}; it needs two blocks", cell(noise_scale)))
    }

    /// The proxy of a family, or why there is none.
    fn proxy(&self, family: &str) -> std::result::Result<String, String> {
        let smallest = || smallest(self.models, family);
        self.sources.proxy.clone().or_else(smallest).ok_or_else(|| match family {
            "" => "no proxy: its family is not known; name it with --models, or a proxy with --proxy".into(),
            _ => format!("no proxy: no member of the family {family} was measured; name one with --proxy"),
        })
    }

    /// One row and whether it has all it needs; `None` for a target that is its own proxy, of which nothing
    /// could be learnt.
    fn row(&self, target: &str) -> Result<Option<(Vec<String>, bool)>> {
        let sources = self.sources;
        let published = sources.published.get(target);
        let family = match (self.models.get(target), published) {
            (Some(own), _) => own[0].model.family.clone(),
            (None, Some((family, _))) => family.clone(),
            (None, None) => String::new(),
        };
        let (name, mut note) =
            self.proxy(&family).map_or_else(|why| (String::new(), why), |name| (name, String::new()));
        if name == target {
            return Ok(None);
        }
        if !name.is_empty() && !self.models.contains_key(name.as_str()) {
            let reason = format!("{target} on {}: the proxy {name} was not measured on it", self.corpus);
            return Err(Error::Fit { reason });
        }
        let mut found = |name: &str| {
            self.measured(name).unwrap_or_else(|why| {
                note = why;
                None
            })
        };
        let (own, mut inside) = (found(target), found(&name));
        // What differs between two models is told from what differs between texts only where both saw the
        // same.
        if let (Some(own), Some(other)) = (&own, &inside)
            && own.seeds() != other.seeds()
        {
            let list = |seeds: BTreeSet<u64>| seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            note = format!(
                "{target} was measured with seeds {} and its proxy {name} with {}; measure both with the \
                 same",
                list(own.seeds()),
                list(other.seeds())
            );
            inside = None;
        }
        // All profiles of a corpus were measured alike.
        let first = self.models.get(name.as_str()).or_else(|| self.models.values().next());
        let alike = first.map_or(&[][..], Vec::as_slice);
        let params = |n: usize| n as f64 / 1e9;
        let size =
            own.as_ref().map(|own| params(own.profiles[0].model.n_params)).or(published.and_then(|p| p.1));
        let proxy_size = self.models.get(name.as_str()).map(|profiles| params(profiles[0].model.n_params));
        let mut row = vec![target.to_owned(), family, cell(size), name, cell(proxy_size)];
        row.extend([self.corpus.to_owned(), texts(alike)]);
        let how = alike.first().map(|p| (p.corpus.n_windows, p.corpus.shots, scale(p.estimator.scale)));
        row.extend(
            how.map(|(n, shots, scale)| [n.to_string(), shots.to_string(), scale.into()]).unwrap_or_default(),
        );
        row.extend([cell(sources.noise_scale), self.reader.to_owned()]);
        let of = |measured: &Option<Measured>, value: &dyn Fn(&Measured) -> Option<f64>| {
            cell(measured.as_ref().and_then(value))
        };
        let headline = |m: &Measured| Some(m.headline_nats);
        let stderr = |m: &Measured| m.stderr_nats();
        row.extend([of(&own, &headline), of(&own, &stderr), of(&own, &|own| own.seed_stderr_nats)]);
        row.push(own.as_ref().map_or(String::new(), |own| own.profiles.len().to_string()));
        row.extend([of(&own, &|own| Some(own.learned_nats)), of(&own, &|own| Some(own.random_init_nats))]);
        row.push(of(&own, &|own| own.bits_per_byte()));
        row.extend([of(&inside, &headline), of(&inside, &stderr)]);
        row.extend((0..FEATURES.len()).map(|j| of(&inside, &|inside| inside.features[j])));
        let (level, slope) = accuracy(&sources.scores, target, self.corpus).unzip();
        row.extend([cell(level), cell(slope)]);
        row.extend(self.reading(target).map(cell));
        for task in self.tasks {
            let (level, slope) = accuracy(&sources.scores, target, task).unzip();
            let of_task = sources.scores.iter().filter(|score| score.model == target && score.task == **task);
            let logprobs: Vec<f64> = of_task.filter_map(|score| score.mean_logprob).collect();
            row.extend([cell(level), cell(slope), cell(mean(&logprobs))]);
        }
        row.extend((0..FEATURES.len()).map(|j| of(&own, &|own| own.features[j])));
        let is_ok = note.is_empty();
        row.extend([if is_ok { "ok" } else { "unsupported" }.to_owned(), note]);
        Ok(Some((row, is_ok)))
    }

    /// The reader's emergence on what the target wrote, by itself and beyond that on the reference.
    fn reading(&self, target: &str) -> [Option<f64>; 6] {
        let (own, reference) = (self.assigned.of(target), self.assigned.reference());
        let gain = |own: Option<f64>, reference: Option<f64>| {
            own.zip(reference).map(|(own, reference)| own - reference)
        };
        [
            own.nats,
            own.stderr_nats,
            own.less_control_nats,
            gain(own.nats, reference.nats),
            gain(own.less_control_nats, reference.less_control_nats),
            own.bits_per_byte,
        ]
    }
}

/// An empty cell for what is missing, and for what no CSV should hold.
fn cell(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or(String::new(), |value| value.to_string())
}

pub(super) fn scale(scale: Scale) -> &'static str {
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
    let members =
        models.values().filter_map(|profiles| profiles.first()).filter(|p| p.model.family == family);
    members.min_by_key(|profile| profile.model.n_params).map(|profile| profile.model.id.clone())
}

/// Repetitions are of other seeds: one that stands there twice would count as two, and its noise as none.
pub(super) fn once(profiles: &[&Profile]) -> Result<()> {
    let mut seeds = BTreeSet::new();
    match profiles.iter().find(|profile| !seeds.insert(profile.estimator.seed)) {
        None => Ok(()),
        Some(profile) => {
            let (model, corpus, seed) = (&profile.model.id, &profile.corpus.name, profile.estimator.seed);
            let reason = format!(
                "{model} on {corpus} stands there twice with seed {seed}; name each folder once, and \
                 measure repetitions with another --seed"
            );
            Err(Error::Fit { reason })
        }
    }
}

/// Emergence is compared on the same texts, measured with the same estimator, seed by seed.
fn alike<'a>(corpus: &str, profiles: impl Iterator<Item = &'a &'a Profile>) -> Result<()> {
    let mut by_seed: BTreeMap<u64, &Profile> = BTreeMap::new();
    for profile in profiles {
        let first = *by_seed.entry(profile.estimator.seed).or_insert(profile);
        if first.corpus.sha256 != profile.corpus.sha256 || first.estimator != profile.estimator {
            let reason = format!(
                "{} and {} were measured on other texts of {corpus}, or otherwise; measure them with the \
                 same --windows, --shots, --seed and --scale",
                first.model.id, profile.model.id
            );
            return Err(Error::Fit { reason });
        }
    }
    Ok(())
}
