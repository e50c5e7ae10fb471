//! `dv`: the Donsker-Varadhan lower bound of a critic on held-out pairs.
//!
//! ```text
//! I >= mean T(x_i, y_i) - log mean exp T(x_i, y_j)
//! ```
//!
//! The rows are split into two halves; each half is the test set of a critic trained on the other half. The
//! critic is the log density ratio of Gaussian canonical variates plus a network (64, 64, `SiLU`). The
//! canonical correlations are shrunk to correct for chance. The last layer of the network starts at zero, so
//! training starts from the Gaussian estimate.
//!
//! Training uses `AdamW` with learning rate 2e-3, weight decay 1e-2, a cosine schedule and gradients clipped
//! at norm 1. Training takes 300 steps of 512 pairs. Each step compares the pairs with the independent pairs
//! of 4 cyclic shifts; a random permutation would leave some pairs unchanged. The validation bound is
//! computed at the start and every 25 steps, and the weights with the best bound are used. The test uses 16
//! shifts. If a value is not finite, training stops and the estimate is 0 with the flag `failed`.
//!
//! If the information exceeds the logarithm of the number of pairs, a few rare independent pairs dominate the
//! expectation of `exp T`. The samples miss these pairs, so the value is no longer a bound. The estimate is
//! therefore capped at this logarithm.
//!
//! # References
//! Donsker & Varadhan 1983; Belghazi et al. 2018; McAllester & Stratos 2020 (no bound from n samples exceeds
//! log n); Loshchilov & Hutter 2019.

use candle_core::Tensor;
use candle_nn::{Activation, AdamW, Optimizer, ParamsAdamW};
use ndarray::{Array2, Axis, s};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::requirements::{Copies, Neighbours, Reads, Requirements, estimate_checked};
use crate::Result;
use crate::mi::neural::critic::DIVERGENCE_THRESHOLD_NATS;
use crate::mi::neural::network::{Initial, Network, clip, donsker_varadhan, rows};
use crate::mi::samples::paired::{RawEstimate, Samples};
use crate::mi::{About, Estimate, Estimator, Flag, Kind, Pairs};
use crate::numeric::linear::{canonical, covariance};
use crate::numeric::statistics::mean_and_stderr;
use crate::seed::{derive, stream};

const STEPS: usize = 300;
const BATCH: usize = 512;
const LOOK: usize = 25;
const RATE: f64 = 2e-3;
const DECAY: f64 = 1e-2;
const HIDDEN: usize = 64;
/// Number of cyclic shifts of `y` in training; shifted rows serve as independent pairs.
const SHIFTS: usize = 4;
/// Number of cyclic shifts of `y` in the test.
const TEST_SHIFTS: usize = 16;
/// One in this many training rows is held out for validation.
const VALIDATION: usize = 5;
/// Minimum number of rows, so that each half can train and test a critic.
const LEAST_ROWS: usize = 40;

/// The `dv` estimator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Dv;

impl Estimator for Dv {
    fn name(&self) -> &'static str {
        "dv"
    }

    fn about(&self) -> About {
        About {
            kind: Kind::LowerBound,
            what: "cross-fitted Donsker-Varadhan bound of a network that starts from the Gaussian log \
                   density ratio",
            reference: "Donsker & Varadhan 1983; Belghazi et al. 2018",
            cost: "600 steps of 512 x 5 pairs: 4 s on one core",
            limits: "needs n >= d_x + d_y + 2 and n >= 40; the estimate is too low if the critic underfits, \
                noisy above log n - 3, and capped at log n",
        }
    }

    fn estimate(&self, pairs: &Pairs<'_>, seed: u64) -> Result<Vec<Estimate>> {
        let required = Requirements {
            least_rows: LEAST_ROWS,
            neighbours: Neighbours::None,
            copies: Copies::Used,
            reads: Reads::Ranks,
        };
        estimate_checked(self, pairs, required, seed, |samples| cross_fitted(samples, seed))
    }
}

/// The mean of the bounds on both halves.
fn cross_fitted(samples: &mut Samples, seed: u64) -> Result<RawEstimate> {
    let scores = samples.take_scores();
    let mut order: Vec<usize> = (0..samples.n).collect();
    order.shuffle(&mut stream("mi/dv", "order", seed));
    let (first, second) = order.split_at(samples.n / 2);
    let halves = [(first, second), (second, first)];
    let bounds: Vec<Option<Bound>> = halves
        .par_iter()
        .enumerate()
        .map(|(half, (train, test))| {
            half_bound(&scores, samples.dx(), train, test, derive("mi/dv/half", &half.to_string(), seed))
        })
        .collect::<Result<_>>()?;
    let bounds: Vec<Bound> = bounds.into_iter().flatten().collect();
    if bounds.len() < halves.len() {
        return Ok(RawEstimate {
            flags: vec![Flag::Failed],
            lower_nats: Some(0.0),
            ..RawEstimate::default()
        });
    }
    let mi_nats = bounds.iter().map(|bound| bound.nats).sum::<f64>() / 2.0;
    let variance = bounds.iter().map(|bound| bound.variance).sum::<f64>() / 4.0;
    let flags = if mi_nats < DIVERGENCE_THRESHOLD_NATS { vec![Flag::Failed] } else { vec![] };
    let stderr_nats = Some(variance.sqrt());
    Ok(RawEstimate { mi_nats, lower_nats: Some(mi_nats), stderr_nats, flags, ..RawEstimate::default() })
}

/// A bound on test rows, and its variance.
struct Bound {
    nats: f64,
    variance: f64,
}

/// The Gaussian log density ratio of canonical variates, from which the critic starts.
struct Gaussian {
    u: Array2<f64>,
    v: Array2<f64>,
    correlations: Vec<f64>,
}

impl Gaussian {
    fn new(scores: &Array2<f64>, dx: usize, train: &[usize]) -> Option<Self> {
        let own = scores.select(Axis(0), train);
        let mut joint = covariance(own.view());
        joint.diag_mut().mapv_inplace(|value| value + 1e-6);
        let found = canonical(&joint, dx, 0.0)?;
        let (n, d) = (train.len() as f64, scores.ncols());
        // If the true correlation is 0, the squared sample correlation is about d / n. The bias is smaller
        // for larger correlations (Ezekiel 1930).
        let shrunk = |r: &f64| {
            (1.0 - (1.0 - r * r) * (n - 1.0) / (n - d as f64 - 1.0).max(1.0)).max(0.0).sqrt().min(0.999)
        };
        let correlations: Vec<f64> = found.correlations.iter().map(shrunk).take_while(|r| *r > 0.0).collect();
        let k = correlations.len();
        let u = scores.slice(s![.., ..dx]).dot(&found.x_directions.slice(s![..k, ..]).t());
        let v = scores.slice(s![.., dx..]).dot(&found.y_directions.slice(s![..k, ..]).t());
        Some(Self { u, v, correlations })
    }

    fn log_ratio(&self, i: usize, j: usize) -> f32 {
        let parts = self.correlations.iter().enumerate().map(|(k, r)| {
            let (u, v) = (self.u[[i, k]], self.v[[j, k]]);
            let rest = 1.0 - r * r;
            -0.5 * rest.ln() - (r * r * (u * u + v * v) - 2.0 * r * u * v) / (2.0 * rest)
        });
        parts.sum::<f64>() as f32
    }
}

struct Critic<'a> {
    scores: &'a Array2<f64>,
    dx: usize,
    gaussian: Gaussian,
    network: Network,
}

impl Critic<'_> {
    /// Computes the scores of the pairs of `x` in row `chosen[i]` and `y` in row `chosen[i + shift]`.
    fn scores(&self, chosen: &[usize], shift: usize) -> Result<Tensor> {
        let n = chosen.len();
        let other = |i: usize| chosen[(i + shift) % n];
        let x = rows(self.scores.slice(s![.., ..self.dx]), chosen.iter().copied())?;
        let y = rows(self.scores.slice(s![.., self.dx..]), (0..n).map(other))?;
        let start: Vec<f32> = (0..n).map(|i| self.gaussian.log_ratio(chosen[i], other(i))).collect();
        let start = Tensor::from_vec(start, n, x.device())?;
        Ok((self.network.forward(&Tensor::cat(&[x, y], 1)?)? + start)?)
    }

    fn bound(&self, chosen: &[usize], shifts: &[usize]) -> Result<Tensor> {
        let joint = self.scores(chosen, 0)?;
        let apart = shifts.iter().map(|shift| self.scores(chosen, *shift)).collect::<Result<Vec<_>>>()?;
        donsker_varadhan(&joint, &Tensor::cat(&apart, 0)?)
    }
}

/// Evenly spaced cyclic shifts. No shift is 0, so no row keeps its partner.
fn shifts(n: usize, count: usize) -> Vec<usize> {
    (1..=count).map(|k| (k * n / (count + 1)).clamp(1, n - 1)).collect()
}

fn half_bound(
    scores: &Array2<f64>,
    dx: usize,
    train: &[usize],
    test: &[usize],
    seed: u64,
) -> Result<Option<Bound>> {
    let (validation, train) = train.split_at(train.len() / VALIDATION);
    let Some(gaussian) = Gaussian::new(scores, dx, train) else { return Ok(None) };
    let mut generator = stream("mi/dv", "weights", seed);
    let widths = [scores.ncols(), HIDDEN, HIDDEN, 1];
    let network = Network::new(&widths, Activation::Silu, Initial::ZeroLast, &mut generator)?;
    let critic = Critic { scores, dx, gaussian, network };
    let variables = critic.network.variables();
    let parameters = ParamsAdamW { lr: RATE, weight_decay: DECAY, ..ParamsAdamW::default() };
    let mut optimiser = AdamW::new(variables.clone(), parameters)?;
    let mut order = train.to_vec();
    let mut batches = stream("mi/dv", "batches", seed);
    let (mut best, mut kept) = (f32::NEG_INFINITY, critic.network.keep()?);
    for step in 0..=STEPS {
        if step % LOOK == 0 {
            let bound = critic.bound(validation, &shifts(validation.len(), SHIFTS))?;
            let bound = bound.to_scalar::<f32>()?;
            if !bound.is_finite() {
                return Ok(None);
            }
            if bound > best {
                (best, kept) = (bound, critic.network.keep()?);
            }
        }
        let size = BATCH.min(order.len());
        let (batch, _) = order.partial_shuffle(&mut batches, size);
        let bound = critic.bound(batch, &shifts(size, SHIFTS))?;
        let mut gradients = bound.neg()?.backward()?;
        clip(&mut gradients, &variables)?;
        optimiser.set_learning_rate(
            RATE * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / STEPS as f64).cos()),
        );
        optimiser.step(&gradients)?;
    }
    critic.network.restore(&kept)?;
    // Process one shift at a time, so that its tensors are freed before the next shift.
    let test_scores = |shift: usize| doubles(&critic.scores(test, shift)?);
    let (of_pairs, of_joint) = mean_and_stderr(&test_scores(0)?);
    let shifts = shifts(test.len(), TEST_SHIFTS);
    let apart = shifts.iter().map(|shift| test_scores(*shift)).collect::<Result<Vec<_>>>()?;
    let most = apart.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    // Each row of `x` and each row of `y` occurs once per shift, so the pairs are dependent. The rows are
    // independent, so compute the variance over rows.
    let (mut of_x, mut of_y) = (vec![0.0; test.len()], vec![0.0; test.len()]);
    for (shift, values) in shifts.iter().zip(&apart) {
        for (i, value) in values.iter().enumerate() {
            let part = (value - most).exp() / shifts.len() as f64;
            of_x[i] += part;
            of_y[(i + shift) % test.len()] += part;
        }
    }
    let ((mean, of_x), (_, of_y)) = (mean_and_stderr(&of_x), mean_and_stderr(&of_y));
    let nats = of_pairs - mean.ln() - most;
    let variance = of_joint.powi(2) + of_x.hypot(of_y).powi(2) / mean.powi(2);
    Ok((nats.is_finite() && variance.is_finite()).then_some(Bound { nats, variance }))
}

fn doubles(values: &Tensor) -> Result<Vec<f64>> {
    Ok(values.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}
