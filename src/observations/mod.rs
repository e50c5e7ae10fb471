//! Observations: one row per target and corpus, with what can be known of the target from outside (its
//! black-box scores) and what is known of a small proxy from inside (its profile). The target's own profile
//! is the answer and never a feature, and its size is none either.

mod columns;
mod features;
mod join;
mod readings;

use serde::{Deserialize, Serialize};

pub use self::columns::{ANSWERS, CONDITIONS, FEATURES, READER, is_internal};
pub use self::features::features;
pub use self::join::{Joined, Sources, join};
pub use self::readings::{Compared, REFERENCE};

use crate::collect::Score;
use crate::collect::results::scores::empirical_logit;
use crate::emergence::Profile;
use crate::error::{Error, Result};
use crate::mi::Scale;

/// One row of observations.csv.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The model to be estimated.
    pub target_model: String,
    /// Its family.
    pub family: String,
    /// Its parameters in billions, for the size baseline alone.
    pub params_b: f64,
    /// The small model measured in its place.
    pub proxy_model: String,
    /// The corpus of both.
    pub corpus: String,
    /// SHA-256 of the corpus' texts.
    pub corpus_sha256: String,
    /// Windows of the profiles.
    pub n_windows: usize,
    /// Entities per series.
    pub shots: usize,
    /// Scale of the estimator.
    pub scale: Scale,
    /// Setting of the estimator.
    pub noise_scale: f64,
    /// Feature: the proxy's headline, nats.
    pub proxy_headline_nats: f64,
    /// Feature: slope of the proxy's emergence over relative depth, nats.
    pub proxy_slope_nats: f64,
    /// Feature: the target's accuracy on the corpus' in-context task, mean over shots of the empirical
    /// logit.
    pub accuracy_logit: f64,
    /// Feature: slope of that logit per `log2(shots + 1)`.
    pub accuracy_slope: f64,
    /// The answer: the target's headline; empty for a closed model.
    pub emergence_nats: Option<f64>,
    /// The target's headline less its randomly initialised model's.
    pub learned_nats: Option<f64>,
    /// The randomly initialised model's headline.
    pub random_init_nats: Option<f64>,
}

impl Observation {
    /// Names of the features, in order.
    pub const FEATURES: [&str; 4] =
        ["proxy_headline_nats", "proxy_slope_nats", "accuracy_logit", "accuracy_slope"];

    /// The features, in the order of [`Self::FEATURES`].
    pub fn features(&self) -> [f64; 4] {
        [self.proxy_headline_nats, self.proxy_slope_nats, self.accuracy_logit, self.accuracy_slope]
    }

    /// Joins the profiles of target and proxy on one corpus with the target's scores on that corpus' task.
    ///
    /// # Errors
    /// [`Error::Fit`] if the two profiles were not measured alike, have no headline at `noise scale`, or the
    /// scores cover fewer than two numbers of shots.
    pub fn join(target: &Profile, proxy: &Profile, scores: &[Score], noise_scale: f64) -> Result<Self> {
        let name = &target.model.id;
        let fault =
            |reason: String| Error::Fit { reason: format!("{name} on {}: {reason}", target.corpus.name) };
        let alike = target.corpus.sha256 == proxy.corpus.sha256 && target.estimator == proxy.estimator;
        if !alike {
            return Err(fault(format!(
                "its profile and that of {} are of other texts or settings",
                proxy.model.id
            )));
        }
        let no_headline = |p: &Profile| {
            fault(format!("{} has no headline at b = {noise_scale}; it needs two blocks", p.model.id))
        };
        let answer = target.headline_at(noise_scale).ok_or_else(|| no_headline(target))?;
        let inside = proxy.headline_at(noise_scale).ok_or_else(|| no_headline(proxy))?;
        let (accuracy_logit, accuracy_slope) = accuracy(scores, name, &target.corpus.name)
            .ok_or_else(|| fault("has no scores at two or more numbers of shots".into()))?;
        Ok(Self {
            target_model: name.clone(),
            family: target.model.family.clone(),
            params_b: target.model.n_params as f64 / 1e9,
            proxy_model: proxy.model.id.clone(),
            corpus: target.corpus.name.clone(),
            corpus_sha256: target.corpus.sha256.clone(),
            n_windows: target.corpus.n_windows,
            shots: target.corpus.shots,
            scale: target.estimator.scale,
            noise_scale,
            proxy_headline_nats: inside.emergence_nats,
            proxy_slope_nats: proxy.depth_slope(noise_scale).ok_or_else(|| no_headline(proxy))?,
            accuracy_logit,
            accuracy_slope,
            emergence_nats: Some(answer.emergence_nats),
            learned_nats: Some(answer.learned_nats),
            random_init_nats: Some(answer.random_init_nats),
        })
    }
}

/// Mean over shots of the empirical logit of a model's accuracy on a task, and its slope per `log2(shots +
/// 1)`.
pub fn accuracy(scores: &[Score], model: &str, task: &str) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = scores
        .iter()
        .filter(|score| score.model == model && score.task == task)
        .filter_map(|score| {
            let n = score.n_scored as f64;
            Some((((score.shots + 1) as f64).log2(), empirical_logit(score.accuracy? * n, n)))
        })
        .collect();
    let n = points.len() as f64;
    let (s, a) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let square: f64 = points.iter().map(|p| (p.0 - s).powi(2)).sum();
    (square > 0.0).then(|| (a, points.iter().map(|p| (p.0 - s) * (p.1 - a)).sum::<f64>() / square))
}
