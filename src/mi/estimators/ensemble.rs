//! `ensemble`: fits several density ratio models. The best model by held-out score provides the estimate.
//!
//! | model | suitable for |
//! |---|---|
//! | t copula ([`crate::mi::estimators::t_copula`]) | monotone dependence, heavy tails, many dimensions |
//! | mixture of normals ([`crate::mi::density_ratio::mixture`]) | clusters, branches, signs |
//! | latent classes ([`crate::mi::density_ratio::latent_classes`]) | clusters that combine in many ways |
//! | separable critic ([`crate::mi::neural::critic`]) | smooth curves, also in many dimensions |
//! | matched components (`density_ratio::matched_components`) | rotated or mixed pairs of values |
//!
//! Mixtures are fitted both to the samples and to their normal scores. Latent classes are fitted to each
//! side, and a table contains their joint frequencies. Each model computes the log density ratio
//! `T = log p(x, y) / p(x) p(y)` of held-out pairs and of up to a thousand unpaired rows for each pair. The
//! score is a bound (van den Oord et al. 2018). In expectation the score does not exceed the true
//! information, even if the density is wrong or singular:
//!
//! ```text
//! score = mean_i [ T_ii - 0.5 log mean_j exp T_ij - 0.5 log mean_j exp T_ji ]
//! ```
//!
//! A model replaces the copula only if its score exceeds the score of the copula, and also 0 (the score of
//! independence), by two standard errors. Otherwise the copula provides the estimate. If the score of the
//! copula does not clearly exceed 0 either, nearest-neighbour statistics are compared with those of randomly
//! re-paired samples.
//!
//! The mean of `T` is too low at held-out pairs, because the training sample is finite, and too high at
//! training pairs by about the same amount (Akaike 1973). The estimate is the midpoint of the two means. If
//! the mean log normaliser of `T` over unpaired rows is positive, it is subtracted.
//!
//! In few columns, a nearest-neighbour residual adds the information that the model misses. The residual is
//! `ksg` of the samples minus `ksg` of pairs drawn from the model
//! ([`crate::mi::density_ratio::repaired_pairs`]) or, for the copula, of samples drawn from it. For the
//! critic, `ksg` of its features at held-out pairs is also used, because features cannot have more
//! information than the pairs. This estimate is capped at the mean of `T` at the training pairs. The residual
//! is weighted by `1 - (noise / residual)^2`. The residual also increases the standard error, because nearest
//! neighbours find only about half of the information that the model misses.
//!
//! # References
//! van den Oord et al. 2018; Akaike 1973; van der Laan, Polley, Hubbard 2007 (model selection by
//! cross-validation); James & Stein 1961 (the weight).

use ndarray::{Array2, s};
use rayon::prelude::*;

use crate::Result;
use crate::mi::density_ratio::copula::Copula;
use crate::mi::density_ratio::held_out_score::{HeldOutScore, LEAST_GAIN, is_clear};
use crate::mi::density_ratio::matched_components::matched_components;
use crate::mi::density_ratio::mixture_choice::{best_classes, best_mixture};
use crate::mi::density_ratio::neighbour_residual::{Sides, copula_residual, independence_residual, sides};
use crate::mi::neighbours::gaussian_corrected::gaussian_corrected_nats;
use crate::mi::neighbours::ksg::need_ranked_neighbours;
use crate::mi::neural::critic;
use crate::mi::samples::frequencies::discrete;
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};
use crate::numeric::normal_scores::normal_scores;
use crate::numeric::statistics::{mean, mean_and_stderr};
use crate::seed::derive;

/// With fewer rows than this, only the copula and its residual are used.
const LEAST_ROWS: usize = 400;
/// Maximum number of values for models other than the copula, which need a dozen copies of the samples.
const LARGE: usize = 10_000_000;
/// Maximum total number of columns for a nearest-neighbour residual relative to pairs drawn from a model.
const MOST_COLUMNS: usize = 8;
/// A residual of the copula is used only if it exceeds this number of standard deviations of its noise. The
/// threshold is high because the larger of two residuals is tested.
const CLEAR: f64 = 3.0;
/// The estimate from the order of discrete values must exceed the estimate from counts by this much.
const LEAST_ORDER_NATS: f64 = 0.01;
/// Maximum total number of columns for a nearest-neighbour correction with a discrete column.
const DISCRETE_COLUMNS: usize = 3;
/// An estimate is flagged `misfit` if the part of its standard error due to the model exceeds this.
const MISFIT_NATS: f64 = 0.1;
/// Minimum total number of columns for the flag `misfit`.
const MISFIT_COLUMNS: usize = 4;
/// Maximum number of features of the critic for the nearest-neighbour estimate.
const VIEWS: usize = 3;

/// The `ensemble` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ensemble;

impl Estimator for Ensemble {
    fn name(&self) -> &'static str {
        "ensemble"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "the best of several models by held-out score (t copula, normal mixture, latent classes, \
                   matched components, trained critic), plus a nearest-neighbour residual",
            reference: "van den Oord et al. 2018; Akaike 1973; van der Laan, Polley, Hubbard 2007",
            cost: "5 to 20 s at n = 5000 on one core",
            limits: "needs n >= d_x + d_y + 2; below 400 rows or above ten million values it uses only the \
                copula and nearest neighbours; the estimate and its standard error are too low if signs, \
                rotations, products or sharp edges are spread over many columns",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), pairs)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        if samples.pair_counts().len() < samples.n / 2 {
            let counted = discrete(&samples, seed);
            let is_enough = !counted.flags.contains(&Flag::Undersampled);
            let ordered = if is_enough { None } else { ordered(&samples, &counted, seed) };
            return Ok(vec![ordered.unwrap_or_else(|| samples.report(kind, counted))]);
        }
        samples.count_copies_once();
        samples.need_covariance()?;
        if let Some(infinite) = samples.need_independent_ranks(kind) {
            return Ok(vec![infinite]);
        }
        if samples.n < LEAST_ROWS {
            need_ranked_neighbours(&samples)?;
        }
        samples.jitter(seed);
        let is_large = samples.n * (samples.dx() + samples.dy()) > LARGE;
        let scores = if is_large { samples.take_scores() } else { samples.scores() };
        let found = Models::new(&samples, scores, samples.n >= LEAST_ROWS && !is_large, seed)?.found(seed);
        Ok(vec![samples.report(kind, found)])
    }
}

/// Estimates the information from the order of discrete values, if there are too many values for reliable
/// counts. `None` unless both the copula (or the latent classes) and the best model exceed the estimate from
/// counts.
fn ordered(samples: &Samples, counted: &RawEstimate, seed: u64) -> Option<Estimate> {
    let mut samples = samples.clone();
    samples.need_covariance().ok()?;
    let is_suited = samples.n >= LEAST_ROWS && samples.n * (samples.dx() + samples.dy()) <= LARGE;
    if !is_suited || samples.need_independent_ranks(Kind::Consistent).is_some() {
        return None;
    }
    samples.jitter(seed);
    let models = |is_free| Models::new(&samples, samples.scores(), is_free, seed).ok();
    let few = models(false)?;
    let is_more = |found: Option<f64>| found > Some(counted.mi_nats.max(0.0) + LEAST_ORDER_NATS);
    let in_cells = || few.classes(seed).map(|classes| classes.value_nats);
    if !is_more(few.found(seed).lower_nats) && !is_more(in_cells()) {
        return None;
    }
    let found = models(true)?.found(seed);
    is_more(found.lower_nats).then(|| samples.report(Kind::Consistent, found))
}

struct Models<'a> {
    samples: &'a Samples,
    scores: Array2<f64>,
    dx: usize,
    copula: (Copula, HeldOutScore),
    mixture: Option<HeldOutScore>,
    classes: Option<HeldOutScore>,
    critic: Option<(Vec<Sides>, HeldOutScore)>,
    /// Matched components, with the standard error of their estimate.
    components: Option<(HeldOutScore, f64)>,
}

impl<'a> Models<'a> {
    /// Fits the copula and, if `is_free`, the other models.
    fn new(samples: &'a Samples, scores: Array2<f64>, is_free: bool, seed: u64) -> Result<Self> {
        let dx = samples.dx();
        let fitted = Copula::new(samples.estimator, &scores, dx, seed)?;
        let copula = copula_score(&fitted, seed);
        let mut models = Self {
            samples,
            scores,
            dx,
            copula: (fitted, copula),
            mixture: None,
            classes: None,
            critic: None,
            components: None,
        };
        if is_free {
            let of_rows = || (models.mixture(seed), models.classes(seed), models.components(seed));
            let ((mixture, classes, components), critic) = rayon::join(of_rows, || models.critic(seed));
            (models.mixture, models.classes, models.critic) = (mixture, classes, critic);
            models.components = components;
        }
        Ok(models)
    }

    /// Fits mixtures to the samples and to their normal scores. Returns the higher held-out score.
    fn mixture(&self, seed: u64) -> Option<HeldOutScore> {
        let spaces = [true, false]
            .into_par_iter()
            .map(|of_scores| best_mixture(&self.rows_of(of_scores), self.dx, self.repaired(seed), seed));
        let found: Vec<_> = spaces.collect::<Vec<_>>().into_iter().flatten().collect();
        found.into_iter().max_by(|a, b| a.score().total_cmp(&b.score()))
    }

    fn classes(&self, seed: u64) -> Option<HeldOutScore> {
        let mut z = self.samples.joint();
        let cells = self.samples.cells();
        for (at, cells) in [0, self.dx].into_iter().zip(&cells) {
            if let Some(cells) = cells {
                z.column_mut(at).iter_mut().zip(cells).for_each(|(value, cell)| *value = *cell);
            }
        }
        let counts = cells.map(|cells| Some(cells?.into_iter().fold(0.0, f64::max) as usize + 1));
        best_classes(&z, self.dx, counts, self.repaired(seed), seed)
    }

    fn components(&self, seed: u64) -> Option<(HeldOutScore, f64)> {
        matched_components(&self.samples.joint(), self.dx, seed)
    }

    fn rows_of(&self, of_scores: bool) -> Array2<f64> {
        if of_scores { self.scores.clone() } else { self.samples.joint() }
    }

    /// The seed for drawing pairs from a model; `None` if there are too many columns for nearest neighbours.
    fn repaired(&self, seed: u64) -> Option<u64> {
        (self.scores.ncols() <= MOST_COLUMNS).then_some(seed)
    }

    /// Trains the critic, and returns its features at held-out pairs and its held-out score.
    fn critic(&self, seed: u64) -> Option<(Vec<Sides>, HeldOutScore)> {
        let (x, y) = sides(&self.scores, self.dx);
        let cross_fitted = critic::cross_fitted(&x, &y, self.repaired(seed).is_some(), seed)?;
        let value_nats = 0.5 * (cross_fitted.train_nats + mean(&cross_fitted.terms));
        let repaired = self.repaired(seed).map(|_| cross_fitted.repaired);
        Some((cross_fitted.variates, HeldOutScore { terms: cross_fitted.terms, value_nats, repaired }))
    }

    /// Selects a model and returns its estimate.
    fn found(&self, seed: u64) -> RawEstimate {
        let (_, copula) = &self.copula;
        let critic = self.critic.as_ref().map(|(_, candidate)| candidate);
        // Models that beat the copula are compared with each other only by their scores.
        let components = self.components.as_ref().map(|(candidate, _)| candidate);
        let free = [self.mixture.as_ref(), self.classes.as_ref(), critic, components].into_iter().flatten();
        let best =
            free.filter(|candidate| candidate.beats(copula)).max_by(|a, b| a.score().total_cmp(&b.score()));
        if let (Some(best), Some((components, stderr_nats))) = (best, &self.components)
            && std::ptr::eq(best, components)
        {
            return found_by_components(components, *stderr_nats);
        }
        match (best, &self.critic) {
            (None, _) => self.found_by_copula(seed),
            (Some(best), Some((variates, critic))) if std::ptr::eq(best, critic) => {
                let in_features = self.seen_in_features(variates, critic, seed);
                self.beside_neighbours(self.found_by(best, in_features, true), seed)
            }
            (Some(best), _) => self.beside_neighbours(self.found_by(best, best.value_nats, false), seed),
        }
    }

    /// If a side is a discrete column, returns the larger of `found` and the estimate of the copula with its
    /// residual. Models underestimate sharp edges between discrete values; in few columns, nearest neighbours
    /// resolve these edges.
    fn beside_neighbours(&self, mut found: RawEstimate, seed: u64) -> RawEstimate {
        if self.scores.ncols() <= DISCRETE_COLUMNS && self.samples.cells().iter().any(Option::is_some) {
            let residual = copula_residual(&self.scores, &self.copula.0, self.dx, seed);
            let seen_nats = self.copula.0.mi_nats + residual.nats;
            if seen_nats > found.mi_nats {
                found.mi_nats = seen_nats;
                found.stderr_nats = found.stderr_nats.map(|stderr| stderr.max(residual.stderr_nats));
            }
        }
        found
    }

    /// Computes the estimate of a model other than the copula from its value and nearest-neighbour residual.
    fn found_by(&self, best: &HeldOutScore, value_nats: f64, is_low: bool) -> RawEstimate {
        let mut mi_nats = value_nats;
        let mut unsure_nats = 0.0_f64;
        if let Some(repaired) = &best.repaired {
            let residual = repaired.residual(&self.scores, self.dx);
            let beyond_nats = best.score() + repaired.mean_gain_nats() + residual.nats - value_nats;
            // Errors of a critic make its value too low, and nearest neighbours underestimate the information
            // in many columns. So a negative residual does not lower the value of a critic.
            if beyond_nats > 0.0 || !is_low {
                let weight = weight(beyond_nats, residual.noise_nats);
                mi_nats += beyond_nats * weight;
                unsure_nats =
                    unseen_nats(beyond_nats, residual.noise_nats).hypot(weight * residual.noise_nats);
            }
        }
        let (_, chance) = mean_and_stderr(&best.terms);
        // The true information lies between the score and the mean at the training pairs of the model.
        let of_model = (value_nats - best.score()).hypot(unsure_nats);
        let stderr = chance.hypot(of_model);
        let mi_nats = mi_nats.max(best.score());
        RawEstimate {
            mi_nats,
            lower_nats: Some(best.score()),
            stderr_nats: Some(stderr),
            flags: misfit(of_model, self.scores.ncols()),
            ..RawEstimate::default()
        }
    }

    /// Computes the estimate if no other model scores clearly higher than the copula.
    fn found_by_copula(&self, seed: u64) -> RawEstimate {
        let (copula, score) = &self.copula;
        let mut mi_nats = score.value_nats;
        let (_, chance) = mean_and_stderr(&score.terms);
        // If there are hardly more rows than columns, the error of the scatter matrix dominates.
        let mut stderr = chance.max(copula.stderr_nats());
        // If the score does not clearly exceed 0 (independence), use the residual relative to random pairs.
        let is_independent = !is_clear(&score.terms);
        let residual = if is_independent {
            independence_residual(&self.scores, self.dx, seed)
        } else {
            copula_residual(&self.scores, copula, self.dx, seed)
        };
        let is_seen = residual.nats.abs() > CLEAR * residual.noise_nats;
        if is_seen {
            mi_nats = if is_independent { mi_nats.max(residual.nats) } else { mi_nats + residual.nats };
        }
        let unseen_nats = unseen_nats(residual.nats, residual.noise_nats);
        stderr = stderr.hypot(unseen_nats);
        if is_seen {
            stderr = stderr.hypot(residual.noise_nats);
        }
        // At training pairs, the score of the copula exceeds its held-out score by twice the bias.
        // `copula_score` subtracts the bias once; subtract it a second time.
        let lower_nats = score.score() - copula.bias_nats;
        let mi_nats = mi_nats.max(lower_nats);
        RawEstimate {
            mi_nats,
            lower_nats: Some(lower_nats),
            stderr_nats: Some(stderr),
            flags: misfit(unseen_nats, self.scores.ncols()),
            ..RawEstimate::default()
        }
    }

    /// Returns the largest nearest-neighbour estimate on the leading 1 to [`VIEWS`] features of held-out
    /// pairs, clamped between the value of the critic and its mean at training pairs.
    fn seen_in_features(&self, variates: &[Sides], critic: &HeldOutScore, seed: u64) -> f64 {
        // If there are more features than columns on a side, the features lie on a lower-dimensional surface,
        // where neighbours are nearer than the correction assumes.
        let most = VIEWS.min(self.dx).min(self.scores.ncols() - self.dx);
        let views = (1..=most).map(|k| {
            let parts = variates.iter().enumerate().filter_map(|(fold, (u, v))| {
                let take = |a: &Array2<f64>| normal_scores(&a.slice(s![.., ..k]).to_owned());
                gaussian_corrected_nats(
                    &take(u),
                    &take(v),
                    derive("mi/ensemble/features", &format!("{fold}/{k}"), seed),
                )
            });
            mean(&parts.collect::<Vec<f64>>())
        });
        let seen_nats = views.filter(|nats| nats.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        // `value_nats` is the midpoint between the score and the mean at training pairs.
        let own_nats = 2.0 * critic.value_nats - critic.score();
        seen_nats.clamp(critic.value_nats, own_nats.max(critic.value_nats))
    }
}

/// The estimate of matched components: the sum of the estimates of their pairs.
fn found_by_components(components: &HeldOutScore, stderr_nats: f64) -> RawEstimate {
    let (_, chance) = mean_and_stderr(&components.terms);
    RawEstimate {
        mi_nats: components.value_nats.max(components.score()),
        lower_nats: Some(components.score()),
        stderr_nats: Some(stderr_nats.hypot(chance)),
        ..RawEstimate::default()
    }
}

/// Flags an estimate whose model may miss much information. In few columns, neighbours find this information.
fn misfit(of_model_nats: f64, columns: usize) -> Vec<Flag> {
    if of_model_nats > MISFIT_NATS && columns >= MISFIT_COLUMNS { vec![Flag::Misfit] } else { vec![] }
}

/// The weight of a residual: the estimated share of the residual that is not noise.
fn weight(seen_nats: f64, noise_nats: f64) -> f64 {
    if seen_nats.abs() > noise_nats { 1.0 - (noise_nats / seen_nats).powi(2) } else { 0.0 }
}

/// Estimates the information that nearest neighbours miss. If the fitted model is wrong, this is about as
/// large as the part of the residual that exceeds the noise.
fn unseen_nats(seen_nats: f64, noise_nats: f64) -> f64 {
    seen_nats.abs() * weight(seen_nats, noise_nats).sqrt()
}

/// The score of the copula on its own training pairs. The bias of the copula is known, so no held-out pairs
/// are needed. Its density ratios are also evaluated on unpaired rows, because their mean differs from one if
/// the copula is wrong.
fn copula_score(copula: &Copula, seed: u64) -> HeldOutScore {
    let (mut terms, normalisers) = copula.held_out(seed);
    // The mean over training pairs is too large by the bias.
    terms.iter_mut().for_each(|term| *term -= copula.bias_nats);
    let excess_nats = mean(&normalisers);
    let value_nats =
        if excess_nats > LEAST_GAIN { (copula.mi_nats - excess_nats).max(0.0) } else { copula.mi_nats };
    HeldOutScore { terms, value_nats, repaired: None }
}
