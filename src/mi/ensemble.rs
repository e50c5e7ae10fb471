//! `ensemble`: several models of the density ratio, of which the one speaks that foretells held-out pairs best.
//!
//! | model | made for |
//! |---|---|
//! | t copula ([`super::t_copula`]) | monotone dependence, heavy tails, many dimensions |
//! | mixture of normals, of the samples or of their normal scores ([`super::mixture`]) | clusters, branches, signs |
//! | separable critic ([`super::critic`]) | smooth curves and warps, in many dimensions too |
//!
//! Each is asked for the log density ratio `T = log p(x, y) / p(x) p(y)` of pairs it was not fitted to, those that belong together and some thousand times as many that do not, and is scored by
//! one bound (van den Oord et al. 2018), which no density that is wrong or singular can make too high:
//!
//! ```text
//! score = mean_i [ T_ii - 0.5 log mean_j exp T_ij - 0.5 log mean_j exp T_ji ]
//! ```
//!
//! A model with more freedom must beat the copula, and independence, by two standard errors of the difference, pair by pair. Where none does, the copula is a normal one, whose number is near 0 where
//! nothing is shared, and neighbours are compared with pairs that were torn apart.
//!
//! The mean of `T` at held-out pairs is too low by what the model lost to the size of its sample, and at its own pairs too high by about as much (Akaike 1973): the
//! estimate is the middle of the two, less what `T` of pairs that do not belong together exceeds a density ratio's by. Where neighbours can see, they add what the model misses: `ksg` of
//! the samples against `ksg` of samples drawn from the model; and for the critic, `ksg` of its features at held-out pairs, which cannot hold more than the pairs themselves, and is believed up to
//! the mean at its own pairs.
//!
//! # References
//! van den Oord et al. 2018; Akaike 1973; van der Laan, Polley, Hubbard 2007 (choice by cross-validation).

use ndarray::{Array2, ArrayView2, Axis, s};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::contrast::{contrast, normaliser_nats};
use super::critic;
use super::hybrid::{self, Sides};
use super::ksg::{mean_and_stderr, need_neighbours, terms_nats};
use super::linear::{covariance, gaussian_nats};
use super::mixture::{Mixture, Sharing};
use super::normal_scores::normal_scores;
use super::plugin::discrete;
use super::samples::{Found, Samples};
use super::t_copula::Fit;
use super::{About, Estimate, Estimator, Kind};
use crate::Result;
use crate::seed::{derive, stream};

/// Fewer rows are left to the t copula and its neighbours.
const LEAST_ROWS: usize = 400;
/// Numbers of components that are tried, upwards until two in turn foretell no better; few may be no better than one where the right number is much better.
const COMPONENTS: [usize; 15] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];
const LEAST_TRIED: usize = 8;
/// Parameters of a mixture for each row it is fitted to, at most.
const MOST_PARAMETERS: f64 = 2.0;
/// Most columns, both sides together, of components with a covariance of their own.
const MOST_OWN: usize = 80;
/// Parts of the rows for mixtures.
const HALVES: usize = 2;
/// Most columns, both sides together, for neighbours against samples of a mixture.
const MOST_COLUMNS: usize = 8;
/// Residuals below this many standard deviations of chance are taken for chance.
const CLEAR: f64 = 2.0;
const CLEAR_OF_TWO: f64 = 3.0;
/// A gain in nats below this decides nothing, however sure it is.
const LEAST_GAIN: f64 = 0.003;
/// Features of the critic that neighbours look at.
const VIEWS: usize = 3;

/// The estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ensemble;

impl Estimator for Ensemble {
    fn name(&self) -> &'static str {
        "ensemble"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::Consistent,
            what: "t copula, normal mixtures or trained critic, whichever foretells held-out pairs best, corrected by neighbours",
            reference: "van den Oord et al. 2018; Akaike 1973; van der Laan, Polley, Hubbard 2007",
            cost: "4 to 13 s at n = 5000 on one core",
            limits: "n >= d_x + d_y + 2; below 400 rows it is hybrid; low where a spiral or a product fills many columns",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        if samples.pair_counts().len() < samples.n / 2 {
            let found = discrete(&samples, seed);
            return Ok(vec![samples.report(kind, found)]);
        }
        samples.count_copies_once();
        samples.need_covariance()?;
        if let Some(infinite) = samples.need_independence(kind) {
            return Ok(vec![infinite]);
        }
        if samples.n < LEAST_ROWS {
            need_neighbours(&samples)?;
        }
        samples.jitter(seed);
        let found = Models::new(&samples, seed)?.found(seed);
        Ok(vec![samples.report(kind, found)])
    }
}

/// What a model says of each pair, held out, and what its mean would be on its own sample.
#[derive(Debug, Clone)]
struct Opinion {
    /// For each pair, to which it was not fitted, its part of the bound.
    terms: Vec<f64>,
    /// Its estimate.
    value_nats: f64,
}

impl Opinion {
    fn score(&self) -> f64 {
        self.terms.iter().sum::<f64>() / self.terms.len() as f64
    }

    /// Whether it foretells better than another, and than independence, by two standard errors of the difference.
    fn beats(&self, other: &Self) -> bool {
        let differences: Vec<f64> = self.terms.iter().zip(&other.terms).map(|(a, b)| a - b).collect();
        is_clear(&differences) && is_clear(&self.terms)
    }
}

/// A mean that is above 0 by two standard errors.
fn is_clear(gains: &[f64]) -> bool {
    let (mean, stderr) = mean_and_stderr(gains);
    mean > (2.0 * stderr).max(LEAST_GAIN)
}

struct Models<'a> {
    samples: &'a Samples,
    scores: Array2<f64>,
    dx: usize,
    copula: (Fit, Opinion),
    mixture: Option<(Candidate, Opinion)>,
    critic: Option<(Vec<Sides>, Opinion)>,
}

/// A mixture that was chosen, and of what.
#[derive(Debug, Clone)]
struct Candidate {
    components: usize,
    sharing: Sharing,
    of_scores: bool,
    log_likelihood: f64,
}

impl<'a> Models<'a> {
    fn new(samples: &'a Samples, seed: u64) -> Result<Self> {
        let scores = normal_scores(&samples.joint());
        let dx = samples.dx();
        let fit = Fit::new(samples.estimator, &scores, dx, seed)?;
        let copula = copula_opinion(&fit, seed);
        let mut models = Self { samples, scores, dx, copula: (fit, copula), mixture: None, critic: None };
        if samples.n >= LEAST_ROWS {
            let (mixture, critic) = rayon::join(|| models.mixture(seed), || models.critic(seed));
            (models.mixture, models.critic) = (mixture, critic);
        }
        Ok(models)
    }

    fn rows_of(&self, of_scores: bool) -> Array2<f64> {
        if of_scores { self.scores.clone() } else { self.samples.joint() }
    }

    /// The better of the best mixtures of the samples and of their scores.
    fn mixture(&self, seed: u64) -> Option<(Candidate, Opinion)> {
        let spaces = [true, false].into_par_iter().map(|of_scores| {
            let z = self.rows_of(of_scores);
            let halves = halves(z.nrows(), seed);
            let found = [Sharing::Rows(0.1), Sharing::All]
                .into_par_iter()
                .filter_map(|sharing| best_components(&z, &halves, sharing, of_scores, seed));
            let best = found.max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood))?;
            let opinion = mixture_opinion(&z, self.dx, &halves, &best, seed)?;
            Some((best, opinion))
        });
        let found: Vec<_> = spaces.collect::<Vec<_>>().into_iter().flatten().collect();
        found.into_iter().max_by(|a, b| a.1.score().total_cmp(&b.1.score()))
    }

    /// The critic, its features beside its opinion.
    fn critic(&self, seed: u64) -> Option<(Vec<Sides>, Opinion)> {
        let (x, y) = (self.scores.slice(s![.., ..self.dx]).to_owned(), self.scores.slice(s![.., self.dx..]).to_owned());
        let heard = critic::cross_fitted(&x, &y, seed)?;
        let held_out = heard.terms.iter().sum::<f64>() / heard.terms.len() as f64;
        let value_nats = 0.5 * (heard.train_nats + held_out);
        Some((heard.variates, Opinion { terms: heard.terms, value_nats }))
    }

    /// The estimate.
    fn found(&self, seed: u64) -> Found {
        let (fit, copula) = &self.copula;
        let mut chosen = copula;
        let mut residual = None;
        let mixture = self.mixture.as_ref().filter(|(_, opinion)| opinion.beats(copula));
        if let Some((_, opinion)) = mixture {
            chosen = opinion;
        }
        // Of two free models neither is the simpler one.
        let mixtures = mixture.map_or(f64::NEG_INFINITY, |(_, opinion)| opinion.score());
        let critic = self.critic.as_ref().filter(|(_, opinion)| opinion.beats(copula) && opinion.score() > mixtures);
        let mut mi_nats;
        if let Some((variates, opinion)) = critic {
            chosen = opinion;
            // A view of more features than a side has columns would see a surface, where neighbours are nearer than the correction takes them to be.
            let most = VIEWS.min(self.dx).min(self.scores.ncols() - self.dx);
            // The mean at its own pairs, which is too high, is as far above the middle as the score is below.
            let own_nats = 2.0 * chosen.value_nats - chosen.score();
            mi_nats = seen_in_features(variates, most, seed).clamp(chosen.value_nats, own_nats.max(chosen.value_nats));
        } else {
            mi_nats = chosen.value_nats;
            residual = match mixture {
                Some((candidate, _)) => self.mixture_residual(candidate, seed),
                None if is_clear(&copula.terms) => Some(hybrid::residual(&self.scores, fit, self.dx, seed)),
                None => Some(hybrid::beyond_independence(&self.scores, self.dx, seed)),
            };
        }
        let (_, mut stderr) = mean_and_stderr(&chosen.terms);
        if critic.is_some() || mixture.is_some() {
            // The truth is somewhere between the score and the mean at the model's own pairs; the middle was taken.
            stderr = stderr.hypot(chosen.value_nats - chosen.score());
        } else {
            // Where rows are hardly more than columns, the scatter's own error is the larger.
            stderr = stderr.max(fit.stderr_nats());
        }
        // Where no model beats independence, neighbours are compared with torn pairs, and what they see is the whole.
        let is_independent = critic.is_none() && mixture.is_none() && !is_clear(&copula.terms);
        // Of the copula's two residuals the larger was taken, so that more of it is chance.
        let clear = if mixture.is_some() { CLEAR } else { CLEAR_OF_TWO };
        if let Some(residual) = residual {
            let seen = residual.nats.abs() > clear * residual.noise_nats;
            if seen {
                mi_nats = if is_independent { mi_nats.max(residual.nats) } else { mi_nats + residual.nats };
            }
            // What is taken for chance may be none.
            stderr = stderr.hypot(if seen { residual.noise_nats } else { residual.nats });
        }
        // The copula was heard at pairs it was fitted to, and half of what that adds was taken off its score.
        let fitted_nats = if critic.is_none() && mixture.is_none() { fit.bias_nats } else { 0.0 };
        Found { mi_nats, lower_nats: Some(chosen.score() - fitted_nats), stderr_nats: Some(stderr), ..Found::default() }
    }

    /// What neighbours see beyond a mixture, in few dimensions.
    fn mixture_residual(&self, candidate: &Candidate, seed: u64) -> Option<hybrid::Residual> {
        if self.scores.ncols() > MOST_COLUMNS {
            return None;
        }
        let z = self.rows_of(candidate.of_scores);
        let mixture = Mixture::fit(&z, candidate.components, candidate.sharing, seed)?;
        let mut generator = stream("mi/ensemble", "mixture", seed);
        let drawn = (0..2).map(|_| Some(normal_scores(&mixture.sample(z.nrows(), &mut generator)?)));
        let drawn: Vec<Array2<f64>> = drawn.collect::<Option<_>>()?;
        Some(hybrid::through(&self.scores, &drawn, &|scores| {
            (scores.slice(s![.., ..self.dx]).to_owned(), scores.slice(s![.., self.dx..]).to_owned())
        }))
    }
}

fn shuffled(n: usize, label: &str, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream("mi/ensemble/order", label, seed));
    order
}

/// Rows of each half and the others.
fn halves(n: usize, seed: u64) -> Vec<(Vec<usize>, Vec<usize>)> {
    let order = shuffled(n, "mixture", seed);
    let half = |half: usize| {
        let part = half * n / HALVES..(half + 1) * n / HALVES;
        (order[..part.start].iter().chain(&order[part.end..]).copied().collect(), order[part].to_vec())
    };
    (0..HALVES).map(half).collect()
}

/// The copula has few parameters, and how many nats they cost is known; it is heard as the critic is, because where it is wrong its density ratios need
/// not have mean one.
fn copula_opinion(fit: &Fit, seed: u64) -> Opinion {
    let (mut terms, normalisers) = fit.heard(seed);
    // On its own sample its mean is too large by the bias.
    terms.iter_mut().for_each(|term| *term -= fit.bias_nats);
    let excess_nats = mean(&normalisers);
    let value_nats = if excess_nats > LEAST_GAIN { (fit.mi_nats - excess_nats).max(0.0) } else { fit.mi_nats };
    Opinion { terms, value_nats }
}

/// The number of components that foretells the density of the other half best.
fn best_components(
    z: &Array2<f64>,
    halves: &[(Vec<usize>, Vec<usize>)],
    sharing: Sharing,
    of_scores: bool,
    seed: u64,
) -> Option<Candidate> {
    let (n, d) = z.dim();
    let mut best: Option<Candidate> = None;
    let mut since = 0;
    let parts: Vec<_> = halves.iter().map(|(own, other)| (z.select(Axis(0), own), z.select(Axis(0), other))).collect();
    for components in COMPONENTS {
        let own = if sharing == Sharing::All { d + 1 } else { (d + 1) * (d + 2) / 2 };
        let parameters = (components * own) as f64;
        let first = components == 1 && sharing == Sharing::All;
        if !first && (parameters > MOST_PARAMETERS * (n / HALVES) as f64 || (sharing != Sharing::All && d > MOST_OWN)) {
            break;
        }
        let logs = parts.par_iter().map(|(own, other)| {
            let logs = Mixture::fit(own, components, sharing, seed)?.log_densities(other)?;
            Some(logs.iter().sum::<f64>() / logs.len() as f64)
        });
        let Some(logs) = logs.collect::<Option<Vec<f64>>>() else { break };
        let log_likelihood = logs.iter().sum::<f64>() / HALVES as f64;
        if best.as_ref().is_none_or(|best| log_likelihood > best.log_likelihood) {
            best = Some(Candidate { components, sharing, of_scores, log_likelihood });
            since = 0;
        } else {
            since += 1;
            if since >= 2 && components >= LEAST_TRIED {
                break;
            }
        }
    }
    best
}

fn mixture_opinion(
    z: &Array2<f64>,
    dx: usize,
    halves: &[(Vec<usize>, Vec<usize>)],
    candidate: &Candidate,
    seed: u64,
) -> Option<Opinion> {
    let mut terms = vec![0.0; z.nrows()];
    let (mut own_nats, mut held_nats, mut excess_nats) = (0.0, 0.0, 0.0);
    for (own, other) in halves {
        let (fitted, held) = (z.select(Axis(0), own), z.select(Axis(0), other));
        let mixture = Mixture::fit(&fitted, candidate.components, candidate.sharing, seed)?;
        let share = 1.0 / HALVES as f64;
        own_nats += share * mean(&mixture.log_ratios(&fitted, dx)?);
        held_nats += share * mean(&mixture.log_ratios(&held, dx)?);
        let size = other.len().div_ceil(other.len().div_ceil(critic::COMPARED));
        for rows in other.chunks(size) {
            let across = mixture.log_ratios_across(&z.select(Axis(0), rows), dx)?;
            let heard = contrast(&across, rows.len());
            rows.iter().zip(heard).for_each(|(row, term)| terms[*row] = term);
            excess_nats += normaliser_nats(across, rows.len()) * rows.len() as f64 / z.nrows() as f64;
        }
    }
    let value_nats = 0.5 * (own_nats + held_nats) - excess_nats.max(0.0);
    (value_nats.is_finite() && terms.iter().all(|term| term.is_finite())).then_some(Opinion { terms, value_nats })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The most that neighbours see in the leading features of held-out pairs: as many features as show most.
fn seen_in_features(variates: &[Sides], most: usize, seed: u64) -> f64 {
    let views = (1..=most).map(|k| {
        let parts = variates.iter().enumerate().filter_map(|(fold, (u, v))| {
            let take = |a: &Array2<f64>| normal_scores(&a.slice(s![.., ..k]).to_owned());
            features_nats(&take(u), &take(v), derive("mi/ensemble/features", &format!("{fold}/{k}"), seed))
        });
        let parts: Vec<f64> = parts.collect();
        parts.iter().sum::<f64>() / parts.len() as f64
    });
    views.filter(|nats| nats.is_finite()).fold(f64::NEG_INFINITY, f64::max)
}

/// `ksg`, corrected by what it says of Gaussian samples with the same covariance.
fn features_nats(u: &Array2<f64>, v: &Array2<f64>, seed: u64) -> Option<f64> {
    let (n, k) = u.dim();
    let joint = covariance(ndarray::concatenate![Axis(1), u.view(), v.view()].view());
    let exact = gaussian_nats(&joint, k)?;
    let factor = super::linear::cholesky(&joint, 0.0)?;
    let mut generator = stream("mi/ensemble/gaussian", "", seed);
    let noise = Array2::from_shape_simple_fn((n, 2 * k), || -> f64 { StandardNormal.sample(&mut generator) });
    let drawn = noise.dot(&factor.t());
    let ksg = |u: &Array2<f64>, v: &Array2<f64>| mean_and_stderr(&terms_nats(u, v)).0;
    // Of the sample that was drawn, not of the covariance it was drawn from: that takes its chance out.
    let of_drawn = gaussian_nats(&covariance(drawn.view()), k)?;
    let bias = ksg(&drawn.slice(s![.., ..k]).to_owned(), &drawn.slice(s![.., k..]).to_owned()) - of_drawn;
    let correction = if exact > 0.0 { -bias } else { 0.0 };
    Some(ksg(u, v) + correction)
}
