//! The whole line on the embedded family: the smaller members of each recipe are measured and a calibration
//! is fitted on them; the two largest of each are predicted, and then measured to see how far off the
//! prediction was.

mod baseline;
mod ols;
mod regression;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::baseline::Baseline;
pub use self::ols::{Feature, Interval, Ols};
pub use self::regression::{Errors, Regression, Validity, choose_noise_scale, fit};

use crate::collect::{Completion, Score, local};
use crate::corpus::{Category, Series};
use crate::emergence;
use crate::emergence::Profile;
use crate::error::{Error, Result};
use crate::mi::{Channel, Scale};
use crate::model::{FAMILY, Model};
use crate::observations::Observation;

/// The corpora of the line.
pub const CORPORA: [&str; 5] = ["countries", "animals", "colours", "numbers", "cities"];
/// Members of each recipe that are predicted, from the largest down.
const HELD_OUT: usize = 2;
/// Nominal coverage of the intervals.
pub const LEVEL: f64 = 0.9;
/// Most shots of the in-context task.
const TASK_SHOTS: usize = 7;
/// Lists per relation of the in-context task.
const TASK_ITEMS: usize = 100;

/// How the line is run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Windows per profile.
    pub windows: usize,
    /// Entities per series.
    pub shots: usize,
    /// One seed for corpora, noise, random init and tasks.
    pub seed: u64,
    /// Scale of the estimator.
    pub scale: Scale,
}

/// Values of the printed CSV are rounded to 1e-4 nat; their standard errors are hundreds of times larger.
const PRINTED_PER_NAT: f64 = 1e4;

/// One row of the printed CSV: a held-out target on a corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The target.
    pub target_model: String,
    /// The corpus.
    pub corpus: String,
    /// Predicted emergence.
    pub emergence_nats: f64,
    /// Lower end of its interval.
    pub low_nats: f64,
    /// Upper end of its interval.
    pub high_nats: f64,
    /// Measured emergence.
    pub measured_nats: f64,
    /// What the line in log10 parameters says.
    pub baseline_nats: f64,
    /// What the mean of the training targets says.
    pub mean_nats: f64,
    /// Measured emergence of the target's randomly initialised model.
    pub random_init_nats: f64,
}

/// Everything the line made on its way.
#[derive(Debug)]
pub struct Run {
    /// Profiles of all members on all corpora.
    pub profiles: Vec<Profile>,
    /// Scores of all members on all tasks.
    pub scores: Vec<Score>,
    /// One observation per target and corpus.
    pub observations: Vec<Observation>,
    /// The regression.
    pub regression: Regression,
    /// Predictions beside measurements.
    pub rows: Vec<Row>,
}

impl Run {
    /// Mean absolute errors over the held-out targets.
    pub fn errors(&self) -> Errors {
        let mae = |value: fn(&Row) -> f64| {
            self.rows.iter().map(|row| (value(row) - row.measured_nats).abs()).sum::<f64>()
                / self.rows.len() as f64
        };
        Errors {
            calibration: mae(|row| row.emergence_nats),
            size_line: mae(|row| row.baseline_nats),
            mean: mae(|row| row.mean_nats),
        }
    }

    /// Rows whose measurement lies in the predicted interval.
    pub fn n_inside(&self) -> usize {
        self.rows.iter().filter(|row| (row.low_nats..=row.high_nats).contains(&row.measured_nats)).count()
    }
}

/// The embedded models.
pub fn family() -> Vec<String> {
    FAMILY.iter().map(|member| member.name.to_owned()).collect()
}

/// Runs the line on models of any families; `step` is told how many measurements of `models.len() *
/// CORPORA.len()` are done, and the model and corpus of the next.
///
/// # Errors
/// Whatever a stage finds wrong, and [`Error::Fit`] if too few models are left to be learnt from.
pub fn run(models: &[String], settings: &Settings, step: &dyn Fn(usize, &str, &str)) -> Result<Run> {
    let channel = Channel::with_scale(settings.scale);
    let how = emergence::MeasureSettings::new(channel, settings.seed, settings.seed);
    let categories = CORPORA.iter().map(|name| Category::load(name)).collect::<Result<Vec<_>>>()?;
    let (mut profiles, mut scores) = (vec![], vec![]);
    for name in models {
        let model = Model::load(name)?;
        for category in &categories {
            step(profiles.len(), name, &category.name);
            let series = Series::draw(category, settings.shots, settings.windows, settings.seed)?;
            profiles.push(emergence::measure(&model, &series.tokenize(&model.tokenizer)?, &how)?);
            scores.extend(local::grade(
                &model,
                &Completion::draw(category, TASK_SHOTS, TASK_ITEMS, settings.seed)?,
            )?);
        }
    }
    let (train, test) = targets(&profiles)?;
    let small: Vec<&str> = train.iter().flat_map(|(target, proxy)| [*target, *proxy]).collect();
    let noise_scale = choose_noise_scale(profiles.iter().filter(|p| small.contains(&p.model.id.as_str())))?
        .ok_or_else(|| Error::Fit {
        reason: "the demonstration needs an estimator with a noise scale".into(),
    })?;
    let observe = |pairs: &[(&str, &str)]| -> Result<Vec<Observation>> {
        let of = |model: &str, corpus: &str| {
            let found = profiles.iter().find(|p| p.model.id == model && p.corpus.name == corpus);
            found.ok_or_else(|| Error::Fit { reason: format!("{model} was not measured on {corpus}") })
        };
        let mut rows = vec![];
        for (target, proxy) in pairs {
            for corpus in CORPORA {
                rows.push(Observation::join(of(target, corpus)?, of(proxy, corpus)?, &scores, noise_scale)?);
            }
        }
        Ok(rows)
    };
    let known = observe(&train)?;
    let (regression, baseline) = (fit(&known, settings.seed)?, Baseline::fit(&known)?);
    let mut rows = vec![];
    let asked = observe(&test)?;
    for observation in &asked {
        // The prediction is made from a row without its answer: what is measured of the target itself cannot
        // reach it.
        let closed = Observation {
            emergence_nats: None,
            learned_nats: None,
            random_init_nats: None,
            ..observation.clone()
        };
        let interval = regression.predict(&closed, LEVEL)?;
        let round = |nats: f64| (nats * PRINTED_PER_NAT).round() / PRINTED_PER_NAT;
        rows.push(Row {
            target_model: observation.target_model.clone(),
            corpus: observation.corpus.clone(),
            emergence_nats: round(interval.y_hat),
            low_nats: round(interval.low),
            high_nats: round(interval.high),
            measured_nats: round(observation.emergence_nats.unwrap_or(f64::NAN)),
            baseline_nats: round(baseline.size_line(&closed)?),
            mean_nats: round(baseline.mean(&closed)?),
            random_init_nats: round(observation.random_init_nats.unwrap_or(f64::NAN)),
        });
    }
    let observations = known.into_iter().chain(asked).collect();
    Ok(Run { profiles, scores, observations, regression, rows })
}

/// Pairs of names, target and proxy.
type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// Target and proxy of each observation, training and held out: the proxy is the smallest member of the
/// target's recipe.
fn targets(profiles: &[Profile]) -> Result<(Pairs<'_>, Pairs<'_>)> {
    let mut recipes: BTreeMap<&str, BTreeMap<usize, &str>> = BTreeMap::new();
    for profile in profiles {
        recipes.entry(&profile.model.family).or_default().insert(profile.model.n_params, &profile.model.id);
    }
    let (mut train, mut test) = (vec![], vec![]);
    for (family, members) in recipes {
        let names: Vec<&str> = members.into_values().collect();
        let [proxy, others @ ..] = names.as_slice() else {
            return Err(Error::Fit { reason: format!("family {family} has no member") });
        };
        let cut = others.len().saturating_sub(HELD_OUT);
        train.extend(others[..cut].iter().map(|target| (*target, *proxy)));
        test.extend(others[cut..].iter().map(|target| (*target, *proxy)));
    }
    Ok((train, test))
}
