//! Trains a separable critic on one part of the pairs and evaluates it on another:
//! `T(x, y) = f(x) . g(y) + a(x) + b(y)`.
//!
//! One small network computes `f` and `a`, another computes `g` and `b`. The linear paths of the networks are
//! initialised from canonical correlations of Hermite polynomials of one or several coordinates. The
//! polynomials with the best bound on a validation set are used. So the initial critic already captures
//! Gaussian dependence, additive dependence and low-order products, and training adds other dependence.
//! The objective is InfoNCE in both directions over all pairs of a batch:
//!
//! ```text
//! I >= mean_i [ T_ii - 0.5 log mean_j exp T_ij - 0.5 log mean_j exp T_ji ]
//! ```
//!
//! On held-out pairs, the objective is a lower bound in expectation. It is at most the logarithm of the
//! number of pairs compared.
//!
//! # References
//! van den Oord et al. 2018 and Poole et al. 2019 (InfoNCE); Lancaster 1958 and Breiman & Friedman 1985
//! (correlations of transformed variables).

use ndarray::{Array2, Axis, concatenate};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::contrastive_gradient::{gradient, side_gradient};
use super::critic_start::CriticInit;
use super::encoder::{AdamW, Encoder, Trace};
use crate::mi::density_ratio::contrast::{COMPARED, contrast};
use crate::mi::density_ratio::repaired_pairs::RepairedPairs;
use crate::numeric::kernels;
use crate::numeric::linear::{canonical, covariance};
use crate::numeric::statistics::mean;
use crate::seed::{derive, stream};

/// Number of parts into which the rows are split. Each part is held out once.
const FOLDS: usize = 5;
/// Width of both hidden layers.
const HIDDEN: usize = 128;
/// Number of features of each side.
const FEATURES: usize = 32;
/// Number of pairs in a batch.
const BATCH: usize = 512;
/// Maximum number of training steps.
const STEPS: usize = 700;
/// Training ends after this many steps without a better validation bound.
const MOST_STEPS_WITHOUT_GAIN: usize = 200;
/// Number of steps between validations.
const LOOK: usize = 25;
const RATE: f32 = 2e-3;
const DECAY: f32 = 1e-2;
const WARM_UP: usize = 40;
/// If the bound is below this, in nats, training diverged.
pub(crate) const DIVERGENCE_THRESHOLD_NATS: f64 = -0.5;

/// The evaluation of a critic on held-out pairs.
#[derive(Debug, Clone)]
struct HeldOutEvaluation {
    /// The term of each test pair in the bound; their mean is the bound.
    test: Vec<f64>,
    /// The bound on a subset of the training pairs. The subset is as large as the test set, but has at least
    /// [`COMPARED`] pairs if there are enough training pairs.
    train_nats: f64,
    /// Pairs drawn from the density ratios of the critic; empty if not requested.
    repaired: RepairedPairs,
    /// Canonical variates of the learned features at the test pairs, `(test, k)` for each side, in order of
    /// decreasing correlation.
    variates: (Array2<f64>, Array2<f64>),
}

/// Rows for training, validation and test.
struct Split {
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

/// Trains a critic on the training rows and evaluates it on the test rows. `None` if training diverges.
///
/// # Shapes
/// `x` is `(n, d_x)` and `y` is `(n, d_y)`, normal scores.
fn evaluate_held_out(
    x: &Array2<f64>,
    y: &Array2<f64>,
    split: &Split,
    with_repaired: bool,
    seed: u64,
) -> Option<HeldOutEvaluation> {
    let start = CriticInit::new(x, y, &split.train, &split.validation)?;
    let mut critic = Critic::new(x, y, &start, seed);
    critic.train(split, seed);
    let mut repaired = RepairedPairs::default();
    let mut generator = stream("mi/critic", "torn", seed);
    let test = critic.contrast_in_groups(&split.test, |rows, scores| {
        if with_repaired {
            repaired.add(rows, scores, &mut generator);
        }
    });
    let trained: Vec<usize> = split.train.iter().copied().take(split.test.len().max(COMPARED)).collect();
    let train = critic.terms(&trained);
    let train_nats = mean(&train);
    let variates = critic.variates(&split.train, &split.test)?;
    (mean(&test).is_finite() && train_nats.is_finite()).then_some(HeldOutEvaluation {
        test,
        train_nats,
        repaired,
        variates,
    })
}

/// The evaluations of all critics. Each critic is evaluated on a fifth of the pairs and trained on other
/// pairs.
#[derive(Debug, Clone)]
pub(crate) struct CrossFitted {
    /// The term of each pair in the bound.
    pub(crate) terms: Vec<f64>,
    /// The mean of the bounds on training pairs.
    pub(crate) train_nats: f64,
    /// Pairs drawn from the density ratios of all critics; empty if not requested.
    pub(crate) repaired: RepairedPairs,
    /// Canonical variates of the learned features, for each held-out part.
    pub(crate) variates: Vec<(Array2<f64>, Array2<f64>)>,
    /// Number of rows in a comparison group.
    pub(crate) compared: usize,
}

/// Trains one critic for each held-out part. If `with_repaired`, also draws pairs from the density ratios.
/// `None` if training diverges.
///
/// # Shapes
/// `x` is `(n, d_x)` and `y` is `(n, d_y)`, normal scores.
pub(crate) fn cross_fitted(
    x: &Array2<f64>,
    y: &Array2<f64>,
    with_repaired: bool,
    seed: u64,
) -> Option<CrossFitted> {
    let n = x.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream("mi/critic", "order", seed));
    let evaluations = (0..FOLDS).into_par_iter().map(|fold| {
        let part = fold * n / FOLDS..(fold + 1) * n / FOLDS;
        let test = order[part.clone()].to_vec();
        let rest: Vec<usize> = order[part.end..].iter().chain(&order[..part.start]).copied().collect();
        let (validation, train) = rest.split_at(test.len() / 2);
        let split = Split { train: train.to_vec(), validation: validation.to_vec(), test };
        Some((
            evaluate_held_out(
                x,
                y,
                &split,
                with_repaired,
                derive("mi/critic/fold", &fold.to_string(), seed),
            )?,
            split.test,
        ))
    });
    let evaluations: Vec<(HeldOutEvaluation, Vec<usize>)> = evaluations.collect::<Option<_>>()?;
    let mut terms = vec![0.0; n];
    for (evaluation, test) in &evaluations {
        test.iter().zip(&evaluation.test).for_each(|(row, term)| terms[*row] = *term);
    }
    let train_nats =
        evaluations.iter().map(|(evaluation, _)| evaluation.train_nats).sum::<f64>() / FOLDS as f64;
    let mut repaired = RepairedPairs::default();
    let mut variates = vec![];
    for (evaluation, _) in evaluations {
        repaired.extend(evaluation.repaired);
        variates.push(evaluation.variates);
    }
    Some(CrossFitted { terms, train_nats, repaired, variates, compared: group(n / FOLDS) })
}

/// The number of rows in a comparison group when `rows` rows are split into groups of at most [`COMPARED`].
fn group(rows: usize) -> usize {
    rows.div_ceil(rows.div_ceil(COMPARED).max(1)).max(1)
}

struct Side {
    encoder: Encoder,
    /// Inputs of the encoder, `(n, width)`: normal scores and initial variates.
    inputs: Vec<f32>,
    width: usize,
    offsets: Vec<f32>,
}

impl Side {
    fn new(scores: &Array2<f64>, variates: &Array2<f64>, start: &CriticInit, seed: u64, label: &str) -> Self {
        let inputs = concatenate![Axis(1), scores.view(), variates.view()];
        let (d, width) = (scores.ncols(), inputs.ncols());
        // The last output is a term that is added to the score; the other outputs are features.
        let mut linear = vec![0.0; (FEATURES + 1) * width];
        for k in 0..start.used {
            linear[k * width + d + k] = start.gain(k) as f32;
        }
        let mut generator = stream("mi/critic/weights", label, seed);
        Self {
            encoder: Encoder::new(width, HIDDEN, FEATURES + 1, linear, &mut generator),
            inputs: inputs.iter().map(|value| *value as f32).collect(),
            width,
            offsets: start.offsets(variates),
        }
    }

    fn rows(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().flat_map(|row| &self.inputs[row * self.width..][..self.width]).copied().collect()
    }

    /// Computes the features of the given rows, `(rows, FEATURES)`, and the terms that are added to their
    /// scores.
    fn encode(&self, rows: &[usize], trace: &mut Trace) -> (Vec<f32>, Vec<f32>) {
        self.encoder.forward(self.rows(rows), trace);
        let added = rows.iter().zip(trace.out.chunks_exact(FEATURES + 1));
        let added = added.map(|(row, out)| out[FEATURES] + self.offsets[*row]).collect();
        let features =
            trace.out.chunks_exact(FEATURES + 1).flat_map(|out| &out[..FEATURES]).copied().collect();
        (features, added)
    }
}

struct Critic {
    x: Side,
    y: Side,
}

impl Critic {
    fn new(x: &Array2<f64>, y: &Array2<f64>, start: &CriticInit, seed: u64) -> Self {
        Self { x: Side::new(x, &start.u, start, seed, "x"), y: Side::new(y, &start.v, start, seed, "y") }
    }

    /// Computes the scores `T` of every `x` with every `y` of the given rows, row-major, and the features of
    /// `x` and `y`.
    fn scores(&self, rows: &[usize], traces: &mut [Trace; 2]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let n = rows.len();
        let [tx, ty] = traces;
        let ((f, a), (g, b)) = (self.x.encode(rows, tx), self.y.encode(rows, ty));
        let mut scores = vec![0.0; n * n];
        kernels::matmul_t(n, n, FEATURES, &f, &g, &mut scores);
        for (row, a) in scores.chunks_exact_mut(n).zip(&a) {
            row.iter_mut().zip(&b).for_each(|(score, b)| *score += a + b);
        }
        (scores, f, g)
    }

    /// The term of each row in the bound, with rows compared in groups. Calls `show` with the rows and scores
    /// of each group.
    fn contrast_in_groups(&self, rows: &[usize], mut show: impl FnMut(&[usize], &[f32])) -> Vec<f64> {
        let of_group = |rows: &[usize]| {
            let (scores, ..) = self.scores(rows, &mut Default::default());
            show(rows, &scores);
            contrast(&scores, rows.len())
        };
        rows.chunks(group(rows.len())).flat_map(of_group).collect()
    }

    fn terms(&self, rows: &[usize]) -> Vec<f64> {
        self.contrast_in_groups(rows, |_, _| ())
    }

    fn train(&mut self, split: &Split, seed: u64) {
        let mut generator = stream("mi/critic/batches", "", seed);
        let mut order = split.train.clone();
        let batch = BATCH.min(order.len());
        let sizes: Vec<usize> =
            [&self.x, &self.y].iter().flat_map(|side| side.encoder.parameters.iter().map(Vec::len)).collect();
        let mut optimiser = AdamW::new(sizes.into_iter());
        let mut best = (f64::NEG_INFINITY, 0, (self.x.encoder.clone(), self.y.encoder.clone()));
        let (mut at, mut traces) = (order.len(), <[Trace; 2]>::default());
        for step in 0..=STEPS {
            if step % LOOK == 0 {
                let terms = self.terms(&split.validation);
                let bound = mean(&terms);
                if bound > best.0 {
                    best = (bound, step, (self.x.encoder.clone(), self.y.encoder.clone()));
                }
                if step - best.1 > MOST_STEPS_WITHOUT_GAIN || !bound.is_finite() {
                    break;
                }
            }
            if at + batch > order.len() {
                order.shuffle(&mut generator);
                at = 0;
            }
            let rows = &order[at..at + batch];
            at += batch;
            let (mut scores, f, g) = self.scores(rows, &mut traces);
            gradient(&mut scores, batch);
            let (dx, dy) = (
                side_gradient(&scores, &g, (batch, FEATURES), false),
                side_gradient(&scores, &f, (batch, FEATURES), true),
            );
            let gx = self.x.encoder.backward(&traces[0], &dx);
            let gy = self.y.encoder.backward(&traces[1], &dy);
            let gradients: Vec<&Vec<f32>> = gx.iter().chain(&gy).collect();
            let cosine = 0.5 * (1.0 + (std::f32::consts::PI * step as f32 / STEPS as f32).cos());
            let rate = RATE * cosine * ((step + 1) as f32 / WARM_UP as f32).min(1.0);
            let parameters = self.x.encoder.parameters.iter_mut().chain(self.y.encoder.parameters.iter_mut());
            optimiser.update(parameters, &gradients, rate, DECAY);
        }
        (self.x.encoder, self.y.encoder) = best.2;
    }

    /// Canonical variates of the features at the test rows. The directions are fitted to the training rows.
    fn variates(&self, train: &[usize], test: &[usize]) -> Option<(Array2<f64>, Array2<f64>)> {
        let features = |side: &Side, rows: &[usize]| {
            let (features, _) = side.encode(rows, &mut Trace::default());
            let values = features.into_iter().map(f64::from).collect();
            Array2::from_shape_vec((rows.len(), FEATURES), values).ok()
        };
        let (mut fx, mut fy) = (features(&self.x, train)?, features(&self.y, train)?);
        let (mut tx, mut ty) = (features(&self.x, test)?, features(&self.y, test)?);
        for (train, test) in [(&mut fx, &mut tx), (&mut fy, &mut ty)] {
            let mean = train.mean_axis(Axis(0))?;
            *train -= &mean;
            *test -= &mean;
        }
        let mut joint = covariance(concatenate![Axis(1), fx, fy].view());
        let ridge = 1e-3 * joint.diag().mean()?;
        joint.diag_mut().mapv_inplace(|value| value + ridge);
        let found = canonical(&joint, FEATURES, 0.0)?;
        Some((tx.dot(&found.x_directions.t()), ty.dot(&found.y_directions.t())))
    }
}
