//! `ensemble`: several models of the density ratio, of which the one speaks that foretells held-out pairs
//! best.
//!
//! | model | made for |
//! |---|---|
//! | t copula ([`crate::mi::estimators::t_copula`]) | monotone dependence, heavy tails, many dimensions |
//! | mixture of normals, of the samples or of their normal scores ([`crate::mi::density_ratio::mixture`]) | clusters, branches, signs |
//! | classes of each side and a table of how they meet ([`crate::mi::density_ratio::latent_classes`]) | clusters that pair up in many ways |
//! | separable critic ([`crate::mi::neural::critic`]) | smooth curves and warps, in many dimensions too |
//!
//! Each is asked for the log density ratio `T = log p(x, y) / p(x) p(y)` of pairs it was not fitted to, those
//! that belong together and some thousand times as many that do not, and is scored by one bound (van den Oord
//! et al. 2018), which no density that is wrong or singular can make too high:
//!
//! ```text
//! score = mean_i [ T_ii - 0.5 log mean_j exp T_ij - 0.5 log mean_j exp T_ji ]
//! ```
//!
//! A model with more freedom must beat the copula, and independence, by two standard errors of the
//! difference, pair by pair. Where none does, the copula is a normal one, whose number is near 0 where
//! nothing is shared, and neighbours are compared with pairs that were torn apart.
//!
//! The mean of `T` at held-out pairs is too low by what the model lost to the size of its sample, and at its
//! own pairs too high by about as much (Akaike 1973): the estimate is the middle of the two, less what `T` of
//! pairs that do not belong together exceeds a density ratio's by.
//!
//! Where neighbours can see, they add what the model misses: `ksg` of the samples against `ksg` of what the
//! model would pair ([`crate::mi::density_ratio::repaired_pairs`]), or, for the copula, of samples drawn from it. For the critic
//! there is `ksg` of its features at held-out pairs too, which cannot hold more than the pairs themselves,
//! and is believed up to the mean at its own pairs. What is seen so is weighed by how far it
//! lies from chance, `1 - (noise / seen)^2`, and stands in the standard error as well: where a model is
//! wrong, neighbours miss about as much as they see.
//!
//! # References
//! van den Oord et al. 2018; Akaike 1973; van der Laan, Polley, Hubbard 2007 (choice by cross-validation);
//! James & Stein 1961 (the weight).

use ndarray::{Array2, ArrayView2, Axis, s};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::hybrid;
use super::hybrid::Sides;
use super::ksg::{mean_and_stderr, need_neighbours, terms_nats};
use super::plugin::discrete;
use super::t_copula::Fit;
use crate::Result;
use crate::mi::density_ratio::held_out_score::{LEAST_GAIN, Opinion, is_clear, mean, of_halves, parts};
use crate::mi::density_ratio::latent_classes::LatentClasses;
use crate::mi::density_ratio::mixture::{Mixture, Sharing};
use crate::mi::neural::critic;
use crate::mi::samples::paired::{Found, Samples};
use crate::mi::{About, Estimate, Estimator, Kind};
use crate::numeric::linear::{covariance, gaussian_nats};
use crate::numeric::normal_scores::normal_scores;
use crate::seed::{derive, stream};

/// Fewer rows are left to the t copula and its neighbours.
const LEAST_ROWS: usize = 400;
/// So are samples of more numbers, for want of memory: the others would need a dozen copies of them.
const LARGE: usize = 10_000_000;
/// Numbers of components that are tried, upwards until two in turn foretell no better; few may be no better
/// than one where the right number is much better.
const COMPONENTS: [usize; 15] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192];
const LEAST_TRIED: usize = 8;
/// Parameters of a mixture for each row it is fitted to, at most, where each component has a covariance of
/// its own.
const MOST_PARAMETERS: f64 = 2.0;
/// The same where they share one, and the fewest rows for each component.
const MOST_PARAMETERS_SHARED: f64 = 3.0;
const LEAST_ROWS_EACH: usize = 12;
/// Most columns, both sides together, of components with a covariance of their own.
const MOST_OWN: usize = 80;
/// Numbers of classes of a side that are tried, upwards until two in turn foretell no better.
const CLASSES: [usize; 7] = [8, 16, 24, 32, 48, 64, 96];
/// Most columns, both sides together, for neighbours against what a model would pair.
const MOST_COLUMNS: usize = 8;
/// Residuals of the copula below this many standard deviations of chance are taken for chance: of two the
/// larger is taken.
const CLEAR: f64 = 3.0;
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
            what: "t copula, normal mixtures, classes of each side or trained critic, whichever foretells \
                   held-out pairs best, and neighbours",
            reference: "van den Oord et al. 2018; Akaike 1973; van der Laan, Polley, Hubbard 2007",
            cost: "5 to 20 s at n = 5000 on one core",
            limits: "n >= d_x + d_y + 2; below 400 rows or above ten million numbers the copula and \
                     neighbours alone; low, and surer than it should be, where signs, rotations, products \
                     or sharp edges are spread over many columns",
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
        if let Some(infinite) = samples.need_independent_ranks(kind) {
            return Ok(vec![infinite]);
        }
        if samples.n < LEAST_ROWS {
            need_neighbours(&samples)?;
        }
        samples.jitter(seed);
        let is_large = samples.n * (samples.dx() + samples.dy()) > LARGE;
        let scores = if is_large { samples.take_scores() } else { samples.scores() };
        let found = Models::new(&samples, scores, samples.n >= LEAST_ROWS && !is_large, seed)?.found(seed);
        Ok(vec![samples.report(kind, found)])
    }
}

struct Models<'a> {
    samples: &'a Samples,
    scores: Array2<f64>,
    dx: usize,
    copula: (Fit, Opinion),
    mixture: Option<Opinion>,
    classes: Option<Opinion>,
    critic: Option<(Vec<Sides>, Opinion)>,
}

/// A mixture that was chosen.
#[derive(Debug, Clone)]
struct Candidate {
    components: usize,
    sharing: Sharing,
    log_likelihood: f64,
}

impl<'a> Models<'a> {
    /// Models beside the copula only where `is_free`.
    fn new(samples: &'a Samples, scores: Array2<f64>, is_free: bool, seed: u64) -> Result<Self> {
        let dx = samples.dx();
        let fit = Fit::new(samples.estimator, &scores, dx, seed)?;
        let copula = copula_opinion(&fit, seed);
        let mut models =
            Self { samples, scores, dx, copula: (fit, copula), mixture: None, classes: None, critic: None };
        if is_free {
            let of_rows = || (models.mixture(seed), models.classes(seed));
            let ((mixture, classes), critic) = rayon::join(of_rows, || models.critic(seed));
            (models.mixture, models.classes, models.critic) = (mixture, classes, critic);
        }
        Ok(models)
    }

    fn rows_of(&self, of_scores: bool) -> Array2<f64> {
        if of_scores { self.scores.clone() } else { self.samples.joint() }
    }

    /// A seed for drawing what a model would pair, where neighbours can look at it.
    fn torn(&self, seed: u64) -> Option<u64> {
        (self.scores.ncols() <= MOST_COLUMNS).then_some(seed)
    }

    /// The better of the best mixtures of the samples and of their scores.
    fn mixture(&self, seed: u64) -> Option<Opinion> {
        let spaces = [true, false].into_par_iter().map(|of_scores| {
            let z = self.rows_of(of_scores);
            let parts = parts(z.nrows(), seed);
            let found = [Sharing::Rows(0.1), Sharing::All]
                .into_par_iter()
                .filter_map(|sharing| best_components(&z, &parts, sharing, seed));
            let best = found.max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood))?;
            let fit = |rows: &Array2<f64>| Mixture::fit(rows, best.components, best.sharing, seed);
            of_halves(&z, self.dx, &parts, fit, self.torn(seed))
        });
        let found: Vec<_> = spaces.collect::<Vec<_>>().into_iter().flatten().collect();
        found.into_iter().max_by(|a, b| a.score().total_cmp(&b.score()))
    }

    /// Classes of both sides, as many as foretell pairs best.
    fn classes(&self, seed: u64) -> Option<Opinion> {
        let z = self.samples.joint();
        let parts = parts(z.nrows(), seed);
        let mut best: Option<Opinion> = None;
        let mut since = 0;
        for classes in CLASSES.into_iter().filter(|classes| classes * LEAST_ROWS_EACH <= z.nrows() / 2) {
            let fit = |rows: &Array2<f64>| LatentClasses::fit(rows, self.dx, classes, seed);
            let Some(opinion) = of_halves(&z, self.dx, &parts, fit, self.torn(seed)) else { break };
            if best.as_ref().is_none_or(|best| opinion.score() > best.score()) {
                (best, since) = (Some(opinion), 0);
            } else {
                since += 1;
                if since == 2 {
                    break;
                }
            }
        }
        best
    }

    /// The critic, its features beside its opinion.
    fn critic(&self, seed: u64) -> Option<(Vec<Sides>, Opinion)> {
        let (x, y) = (
            self.scores.slice(s![.., ..self.dx]).to_owned(),
            self.scores.slice(s![.., self.dx..]).to_owned(),
        );
        let heard = critic::cross_fitted(&x, &y, self.torn(seed).is_some(), seed)?;
        let value_nats = 0.5 * (heard.train_nats + mean(&heard.terms));
        let torn = self.torn(seed).map(|_| heard.torn);
        Some((heard.variates, Opinion { terms: heard.terms, value_nats, torn }))
    }

    /// The estimate.
    fn found(&self, seed: u64) -> Found {
        let (_, copula) = &self.copula;
        let critic = self.critic.as_ref().map(|(_, opinion)| opinion);
        // Of free models none is the simpler one.
        let free = [self.mixture.as_ref(), self.classes.as_ref(), critic].into_iter().flatten();
        let best =
            free.filter(|opinion| opinion.beats(copula)).max_by(|a, b| a.score().total_cmp(&b.score()));
        match (best, &self.critic) {
            (None, _) => self.found_by_copula(seed),
            (Some(best), Some((variates, critic))) if std::ptr::eq(best, critic) => {
                let in_features = self.seen_in_features(variates, critic, seed);
                self.found_by(best, in_features, true)
            }
            (Some(best), _) => self.found_by(best, best.value_nats, false),
        }
    }

    /// The estimate of a free model, from its value and what neighbours see beyond it.
    fn found_by(&self, best: &Opinion, value_nats: f64, is_low: bool) -> Found {
        let mut mi_nats = value_nats;
        let mut unsure_nats = 0.0_f64;
        if let Some(torn) = &best.torn {
            let residual = torn.residual(&self.scores, self.dx);
            let beyond_nats = best.score() + torn.mean_gain_nats() + residual.nats - value_nats;
            // A critic's value is low where it is wrong, and neighbours in many columns see less than there
            // is.
            if beyond_nats > 0.0 || !is_low {
                let weight = weight(beyond_nats, residual.noise_nats);
                mi_nats += beyond_nats * weight;
                unsure_nats =
                    unseen_nats(beyond_nats, residual.noise_nats).hypot(weight * residual.noise_nats);
            }
        }
        let (_, chance) = mean_and_stderr(&best.terms);
        // The truth is somewhere between the score and the mean at the model's own pairs.
        let stderr = chance.hypot(value_nats - best.score()).hypot(unsure_nats);
        let mi_nats = mi_nats.max(best.score());
        Found { mi_nats, lower_nats: Some(best.score()), stderr_nats: Some(stderr), ..Found::default() }
    }

    /// The estimate where no free model foretells better than the copula.
    fn found_by_copula(&self, seed: u64) -> Found {
        let (fit, copula) = &self.copula;
        let mut mi_nats = copula.value_nats;
        let (_, chance) = mean_and_stderr(&copula.terms);
        // Where rows are hardly more than columns, the scatter's own error is the larger.
        let mut stderr = chance.max(fit.stderr_nats());
        // Where nothing beats independence, neighbours are compared with torn pairs, and what they see is the
        // whole.
        let is_independent = !is_clear(&copula.terms);
        let residual = if is_independent {
            hybrid::beyond_independence(&self.scores, self.dx, seed)
        } else {
            hybrid::residual(&self.scores, fit, self.dx, seed)
        };
        let is_seen = residual.nats.abs() > CLEAR * residual.noise_nats;
        if is_seen {
            mi_nats = if is_independent { mi_nats.max(residual.nats) } else { mi_nats + residual.nats };
        }
        stderr = stderr.hypot(unseen_nats(residual.nats, residual.noise_nats));
        if is_seen {
            stderr = stderr.hypot(residual.noise_nats);
        }
        // The copula was heard at pairs it was fitted to, and half of what that adds was taken off its score.
        let lower_nats = copula.score() - fit.bias_nats;
        let mi_nats = mi_nats.max(lower_nats);
        Found { mi_nats, lower_nats: Some(lower_nats), stderr_nats: Some(stderr), ..Found::default() }
    }

    /// The most that neighbours see in the leading features of held-out pairs, as many features as show most,
    /// between the critic's middle and its mean at its own pairs.
    fn seen_in_features(&self, variates: &[Sides], critic: &Opinion, seed: u64) -> f64 {
        // A view of more features than a side has columns would see a surface, where neighbours are nearer
        // than the correction takes them to be.
        let most = VIEWS.min(self.dx).min(self.scores.ncols() - self.dx);
        let views = (1..=most).map(|k| {
            let parts = variates.iter().enumerate().filter_map(|(fold, (u, v))| {
                let take = |a: &Array2<f64>| normal_scores(&a.slice(s![.., ..k]).to_owned());
                features_nats(
                    &take(u),
                    &take(v),
                    derive("mi/ensemble/features", &format!("{fold}/{k}"), seed),
                )
            });
            mean(&parts.collect::<Vec<f64>>())
        });
        let seen_nats = views.filter(|nats| nats.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        // The mean at its own pairs, which is too high, is as far above the middle as the score is below.
        let own_nats = 2.0 * critic.value_nats - critic.score();
        seen_nats.clamp(critic.value_nats, own_nats.max(critic.value_nats))
    }
}

/// How much of what is seen is taken for more than chance.
fn weight(seen_nats: f64, noise_nats: f64) -> f64 {
    if seen_nats.abs() > noise_nats { 1.0 - (noise_nats / seen_nats).powi(2) } else { 0.0 }
}

/// What neighbours may have missed: where a model is wrong, about as much as they see beyond chance.
fn unseen_nats(seen_nats: f64, noise_nats: f64) -> f64 {
    seen_nats.abs() * weight(seen_nats, noise_nats).sqrt()
}

/// The copula has few parameters, and how many nats they cost is known; it is heard as the critic is, because
/// where it is wrong its density ratios need not have mean one.
fn copula_opinion(fit: &Fit, seed: u64) -> Opinion {
    let (mut terms, normalisers) = fit.heard(seed);
    // On its own sample its mean is too large by the bias.
    terms.iter_mut().for_each(|term| *term -= fit.bias_nats);
    let excess_nats = mean(&normalisers);
    let value_nats =
        if excess_nats > LEAST_GAIN { (fit.mi_nats - excess_nats).max(0.0) } else { fit.mi_nats };
    Opinion { terms, value_nats, torn: None }
}

/// The number of components that foretells the density of the other half best.
fn best_components(
    z: &Array2<f64>,
    parts: &[(Vec<usize>, Vec<usize>)],
    sharing: Sharing,
    seed: u64,
) -> Option<Candidate> {
    let (n, d) = z.dim();
    let mut best: Option<Candidate> = None;
    let mut since = 0;
    let parts: Vec<_> =
        parts.iter().map(|(own, other)| (z.select(Axis(0), own), z.select(Axis(0), other))).collect();
    for components in COMPONENTS {
        let fitted = n / 2;
        let is_too_free = match sharing {
            Sharing::All => {
                let parameters = (components * (d + 1)) as f64;
                let is_few = components * LEAST_ROWS_EACH <= fitted;
                components > 1 && !(is_few && parameters <= MOST_PARAMETERS_SHARED * fitted as f64)
            }
            Sharing::Rows(_) => {
                let parameters = (components * (d + 1) * (d + 2) / 2) as f64;
                parameters > MOST_PARAMETERS * fitted as f64 || d > MOST_OWN
            }
        };
        if is_too_free {
            break;
        }
        let logs = parts.par_iter().map(|(own, other)| {
            let logs = Mixture::fit(own, components, sharing, seed)?.log_densities(other)?;
            Some(logs.iter().sum::<f64>() / logs.len() as f64)
        });
        let Some(logs) = logs.collect::<Option<Vec<f64>>>() else { break };
        let log_likelihood = logs.iter().sum::<f64>() / logs.len() as f64;
        if best.as_ref().is_none_or(|best| log_likelihood > best.log_likelihood) {
            best = Some(Candidate { components, sharing, log_likelihood });
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

/// `ksg`, corrected by what it says of Gaussian samples with the same covariance.
fn features_nats(u: &Array2<f64>, v: &Array2<f64>, seed: u64) -> Option<f64> {
    let (n, k) = u.dim();
    let joint = covariance(ndarray::concatenate![Axis(1), u.view(), v.view()].view());
    let exact = gaussian_nats(&joint, k)?;
    let factor = crate::numeric::linear::cholesky(&joint, 0.0)?;
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
