//! Averages the measurements inside one model, over the seeds of one corpus or over several corpora.

use std::collections::BTreeSet;
use std::f64::consts::LN_2;

use super::features::{FEATURES, features, mean, over_seeds};
use crate::emergence::Profile;
use crate::numeric::statistics;

/// The measurements of one model, on one corpus over all seeds, or on several corpora with one seed.
pub(super) struct MeasuredModel<'a> {
    pub profiles: Vec<&'a Profile>,
    pub headline_nats: f64,
    pub learned_nats: f64,
    pub random_init_nats: f64,
    pub tokens_per_byte: Option<f64>,
    /// The standard error of the mean over seeds, from the estimator's own standard errors; `None` if the
    /// estimator gives none.
    pub own_stderr_nats: Option<f64>,
    /// The standard error of the mean over seeds, from the variance between seeds.
    pub seed_stderr_nats: Option<f64>,
    pub features: [Option<f64>; FEATURES.len()],
}

impl<'a> MeasuredModel<'a> {
    /// # Errors
    /// Returns the reason why there is no headline, with the name of the model.
    pub fn new(profiles: Vec<&'a Profile>, noise_scale: Option<f64>) -> Result<Self, String> {
        let headlines = profiles.iter().map(|p| p.headline_at(noise_scale)).collect::<Option<Vec<_>>>();
        let headlines = headlines.filter(|headlines| !headlines.is_empty()).ok_or_else(|| {
            let model = profiles.first().map_or("a model", |profile| &profile.model.id);
            let at = noise_scale.map_or("without added noise".into(), |b| format!("at b = {b}"));
            format!("{model} has no headline {at}; a headline needs a model with at least two blocks")
        })?;
        let all = |value: &dyn Fn(usize) -> f64| (0..headlines.len()).map(value).collect::<Vec<f64>>();
        let stderrs: Vec<Option<f64>> = headlines.iter().map(|headline| headline.stderr_nats).collect();
        let errors = over_seeds(&all(&|at| headlines[at].emergence_nats), &stderrs);
        let per_byte: Option<Vec<f64>> = profiles.iter().map(|p| p.corpus.tokens_per_byte()).collect();
        let vectors: Vec<[Option<f64>; FEATURES.len()]> =
            profiles.iter().map(|p| features(p, noise_scale)).collect();
        let feature = |j: usize| {
            let known: Option<Vec<f64>> = vectors.iter().map(|vector| vector[j]).collect();
            known.and_then(|known| mean(&known))
        };
        Ok(Self {
            headline_nats: statistics::mean(&all(&|at| headlines[at].emergence_nats)),
            learned_nats: statistics::mean(&all(&|at| headlines[at].learned_nats)),
            random_init_nats: statistics::mean(&all(&|at| headlines[at].random_init_nats)),
            tokens_per_byte: per_byte.and_then(|tokens| mean(&tokens)),
            own_stderr_nats: errors.0,
            seed_stderr_nats: errors.1,
            features: std::array::from_fn(feature),
            profiles,
        })
    }

    /// The standard error of the mean over seeds, from the estimator and from the variance between seeds.
    pub fn stderr_nats(&self) -> Option<f64> {
        self.own_stderr_nats.map(|own| own.hypot(self.seed_stderr_nats.unwrap_or(0.0)))
    }

    pub fn seeds(&self) -> BTreeSet<u64> {
        self.profiles.iter().map(|profile| profile.estimator.seed).collect()
    }

    pub fn bits_per_byte(&self) -> Option<f64> {
        self.tokens_per_byte.map(|tokens| self.headline_nats * tokens / LN_2)
    }
}
