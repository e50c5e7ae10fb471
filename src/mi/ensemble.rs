//! `ensemble`: several models of the density ratio, of which the one speaks that foretells held-out pairs best.
//!
//! | model | made for |
//! |---|---|
//! | t copula ([`super::t_copula`]) | monotone dependence, heavy tails, many dimensions |
//! | mixture of normals, of the samples or of their normal scores ([`super::mixture`]) | clusters, branches, signs |
//! | separable critic ([`super::critic`]) | smooth curves and warps, in many dimensions too |
//!
//! Each is asked for the log density ratio `log p(x, y) / p(x) p(y)` of pairs it was not fitted to. Its *score* is the mean, less the
//! logarithm of its mean over independent pairs where that is above one (Donsker & Varadhan 1983). For copula and critic that is a lower bound in expectation, and
//! reported as one; a mixture is heard at too few independent pairs for that. A model with more freedom must beat a simpler one by two
//! standard errors of the difference, pair by pair.
//!
//! The score of the chosen model is too low by what it lost to the size of its sample, and its mean on its own sample too high by about as much (Akaike 1973): the
//! estimate is the middle of the two. Where neighbours can see, they add what the model misses: `ksg` of the samples against `ksg` of samples drawn from the model; and for the
//! critic, `ksg` of its features at held-out pairs, which cannot hold more than the pairs themselves.
//!
//! # References
//! Donsker & Varadhan 1983; Akaike 1973; van der Laan, Polley, Hubbard 2007 (choice by cross-validation).

use ndarray::{Array2, ArrayView2, Axis, s};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::contrast::contrast;
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
/// Numbers of components that are tried, upwards until two in turn foretell no better.
const COMPONENTS: [usize; 15] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];
/// Parameters of a mixture for each row it is fitted to, at most.
const MOST_PARAMETERS: f64 = 2.0;
/// Parts of the rows for mixtures.
const HALVES: usize = 2;
/// Rows that independent pairs are apart, in turn.
const APART: [usize; 8] = [1, 7, 31, 101, 211, 307, 401, 499];
/// Most columns, both sides together, for neighbours against samples of a mixture.
const MOST_COLUMNS: usize = 8;
/// Residuals below this many standard deviations of chance are taken for chance.
const CLEAR: f64 = 2.0;
const CLEAR_OF_TWO: f64 = 3.0;
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
            reference: "Donsker & Varadhan 1983; Akaike 1973; van der Laan, Polley, Hubbard 2007",
            cost: "4 to 40 s at n = 5000 on one core",
            limits: "n >= d_x + d_y + 2; below 400 rows it is hybrid; too high where many columns hold a smooth function of few",
        }
    }

    fn estimate(&self, x: ArrayView2<'_, f32>, y: ArrayView2<'_, f32>, seed: u64) -> Result<Vec<Estimate>> {
        let kind = self.about().kind;
        let mut samples = Samples::new(self.name(), x, y)?;
        if let Some(zero) = samples.constant(kind) {
            return Ok(vec![zero]);
        }
        if samples.pair_counts().len() < samples.n / 2 {
            let found = discrete(&samples);
            return Ok(vec![samples.report(kind, found)]);
        }
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
    /// Log density ratios of pairs it was not fitted to, the penalty taken off.
    terms: Vec<f64>,
    /// The middle of held-out and own mean, the penalty taken off.
    value_nats: f64,
}

impl Opinion {
    fn score(&self) -> f64 {
        self.terms.iter().sum::<f64>() / self.terms.len() as f64
    }

    /// Whether it foretells better than another by two standard errors of the difference.
    fn beats(&self, other: &Self) -> bool {
        let differences: Vec<f64> = self.terms.iter().zip(&other.terms).map(|(a, b)| a - b).collect();
        let (mean, stderr) = mean_and_stderr(&differences);
        mean > (2.0 * stderr).max(0.003)
    }
}

/// `y` of another row beside every `x`: independent pairs with the same marginals.
pub(crate) fn apart(joint: &Array2<f64>, dx: usize, rows: usize) -> Array2<f64> {
    let n = joint.nrows();
    let mut out = joint.clone();
    for row in 0..n {
        let other = joint.slice(s![(row + rows) % n, dx..]);
        out.slice_mut(s![row, dx..]).assign(&other);
    }
    out
}

/// `log mean exp` of log density ratios of independent pairs, where it is above 0 by more than two standard errors; a density ratio has mean 1 there.
fn penalty(log_ratios: &[f64]) -> f64 {
    let most = log_ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scaled: Vec<f64> = log_ratios.iter().map(|value| (value - most).exp()).collect();
    let (mean, stderr) = mean_and_stderr(&scaled);
    let sure = mean - 2.0 * stderr;
    if sure > 0.0 && sure.ln() + most > 0.0 { mean.ln() + most } else { 0.0 }
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
        let fit = Fit::new(samples.estimator, &scores, dx)?;
        let copula = copula_opinion(&fit, samples.n, seed);
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
        let critic = self.critic.as_ref().filter(|(_, opinion)| opinion.beats(chosen));
        let mut mi_nats;
        if let Some((variates, opinion)) = critic {
            chosen = opinion;
            mi_nats = chosen.value_nats.max(seen_in_features(variates, seed));
        } else {
            mi_nats = chosen.value_nats;
            residual = match mixture {
                Some((candidate, _)) => self.mixture_residual(candidate, seed),
                None => Some(hybrid::residual(&self.scores, fit, self.dx, seed)),
            };
        }
        let (_, mut stderr) = mean_and_stderr(&chosen.terms);
        // Of the copula's two residuals the larger was taken, so that more of it is chance.
        let clear = if mixture.is_some() { CLEAR } else { CLEAR_OF_TWO };
        if let Some(residual) = residual.filter(|residual| residual.nats.abs() > clear * residual.noise_nats) {
            mi_nats += residual.nats;
            stderr = stderr.hypot(residual.noise_nats);
        }
        // Copula and critic are compared with other rows, which bounds their terms; a mixture's few independent pairs can miss where its density ratio is large.
        let lower_nats = (critic.is_some() || mixture.is_none()).then(|| chosen.score());
        Found { mi_nats, lower_nats, stderr_nats: Some(stderr), ..Found::default() }
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
    let half =
        |half: usize| -> (Vec<usize>, Vec<usize>) { order.iter().copied().partition(|row| row % HALVES != half) };
    (0..HALVES).map(half).collect()
}

/// The copula has few parameters, and how many nats they cost is known; it is heard as the critic is, because where it is wrong its density ratios need
/// not have mean one.
fn copula_opinion(fit: &Fit, n: usize, seed: u64) -> Opinion {
    let order = shuffled(n, "copula", seed);
    let groups = n.div_ceil(critic::COMPARED);
    let heard: Vec<Vec<f64>> =
        order.par_chunks(n.div_ceil(groups)).map(|rows| contrast(&fit.log_ratios_across(rows), rows.len())).collect();
    // On its own sample its mean is too large by the bias, on another too small by about as much.
    let mut terms = vec![0.0; n];
    for (row, term) in order.iter().zip(heard.concat()) {
        terms[*row] = term - 2.0 * fit.bias_nats;
    }
    Opinion { terms, value_nats: fit.mi_nats }
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
        if components > 1 && (components * own) as f64 > MOST_PARAMETERS * (n / HALVES) as f64 {
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
            if since == 2 {
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
    let (mut own_nats, mut independent) = (0.0, vec![]);
    for (own, other) in halves {
        let (fitted, held) = (z.select(Axis(0), own), z.select(Axis(0), other));
        let mixture = Mixture::fit(&fitted, candidate.components, candidate.sharing, seed)?;
        let log_ratios = mixture.log_ratios(&held, dx)?;
        other.iter().zip(&log_ratios).for_each(|(row, term)| terms[*row] = *term);
        let log_ratios = mixture.log_ratios(&fitted, dx)?;
        own_nats += log_ratios.iter().sum::<f64>() / log_ratios.len() as f64 / HALVES as f64;
        for rows in APART {
            independent.extend(mixture.log_ratios(&apart(&held, dx, rows), dx)?);
        }
    }
    let penalty = penalty(&independent);
    let held_out = terms.iter().sum::<f64>() / terms.len() as f64;
    terms.iter_mut().for_each(|term| *term -= penalty);
    held_out.is_finite().then_some(Opinion { terms, value_nats: 0.5 * (own_nats + held_out) - penalty })
}

/// The most that neighbours see in the leading features of held-out pairs: as many features as show most.
fn seen_in_features(variates: &[Sides], seed: u64) -> f64 {
    let views = (1..=VIEWS).map(|k| {
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
