//! A separable critic trained on one part of the pairs and asked about another: `T(x, y) = f(x) . g(y) + a(x)
//! + b(y)`.
//!
//! `f`, `g`, `a` and `b` are two small networks whose linear paths start from canonical correlations of
//! Hermite polynomials of the coordinates, alone or together, chosen by validation: so training starts at the
//! information that Gaussian and additive dependence and low products hold, and adds the rest. The objective
//! is InfoNCE in both directions over all pairs of a batch:
//!
//! ```text
//! I >= mean_i [ T_ii - 0.5 log mean_j exp T_ij - 0.5 log mean_j exp T_ji ]
//! ```
//!
//! On pairs that were not trained on this is a lower bound in expectation, and at most the logarithm of their
//! number.
//!
//! # References
//! van den Oord et al. 2018 and Poole et al. 2019 (InfoNCE); Lancaster 1958 and Breiman & Friedman 1985
//! (correlations of transformed variables).

use ndarray::{Array2, Axis, concatenate, s};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::contrast::{contrast, gradient, side_gradient};
use super::encoder::{AdamW, Encoder, Trace};
use super::polynomials::Basis;
use crate::mi::density_ratio::repaired_pairs::Torn;
use crate::numeric::kernels;
use crate::numeric::linear::{canonical, covariance};
use crate::seed::{derive, stream};

/// Parts of the rows, each held out in turn.
const FOLDS: usize = 5;
/// Width of both hidden layers.
const HIDDEN: usize = 128;
/// Products of features.
const FEATURES: usize = 32;
/// Pairs in a batch.
const BATCH: usize = 512;
/// Most steps, and how many without a better validation end the training.
const STEPS: usize = 700;
const PATIENCE: usize = 200;
/// Steps between looks at the validation pairs.
const LOOK: usize = 25;
const RATE: f32 = 2e-3;
const DECAY: f32 = 1e-2;
const WARM_UP: usize = 40;
/// Most pairs that are compared with each other in a bound.
pub(crate) const COMPARED: usize = 1000;
/// Polynomials from which the start is chosen.
const BASES: [Basis; 5] =
    [Basis::Each(1), Basis::Each(3), Basis::Each(6), Basis::Together(2), Basis::Together(3)];
/// At most one polynomial for this many rows.
const ROWS_EACH: usize = 5;
const ROWS_TOGETHER: usize = 10;
/// Most variates that the start takes.
const VARIATES: usize = 8;

/// What a critic says of the pairs it was not trained on.
#[derive(Debug, Clone)]
struct Heard {
    /// For each test pair its part of the bound; their mean is the bound.
    test: Vec<f64>,
    /// The bound on pairs it was trained on, over as many.
    train_nats: f64,
    /// What it would pair, if it was asked.
    torn: Torn,
    /// Learned canonical variates of the test pairs, `(test, k)` each, the leading first.
    variates: (Array2<f64>, Array2<f64>),
}

/// Rows by use.
struct Split {
    train: Vec<usize>,
    validation: Vec<usize>,
    test: Vec<usize>,
}

/// Trains on some pairs and reports on others. `None` where the numbers run away.
///
/// # Shapes
/// `x` is `(n, d_x)` and `y` is `(n, d_y)`, normal scores.
fn hear(x: &Array2<f64>, y: &Array2<f64>, split: &Split, is_torn: bool, seed: u64) -> Option<Heard> {
    let start = Start::new(x, y, split)?;
    let mut critic = Critic::new(x, y, &start, seed);
    critic.train(split, seed);
    let mut torn = Torn::default();
    let mut generator = stream("mi/critic", "torn", seed);
    let test = critic.heard(&split.test, |rows, scores| {
        if is_torn {
            torn.add(rows, scores, &mut generator);
        }
    });
    let trained: Vec<usize> = split.train.iter().copied().take(split.test.len().max(COMPARED)).collect();
    let train = critic.terms(&trained);
    let mean = |terms: &[f64]| terms.iter().sum::<f64>() / terms.len() as f64;
    let train_nats = mean(&train);
    let variates = critic.variates(&split.train, &split.test)?;
    (mean(&test).is_finite() && train_nats.is_finite()).then_some(Heard { test, train_nats, torn, variates })
}

/// Critics that each heard of four fifths of the pairs, asked about the others.
#[derive(Debug, Clone)]
pub(crate) struct CrossFitted {
    /// For each pair its part of the bound.
    pub(crate) terms: Vec<f64>,
    /// The mean of the bounds on pairs that were trained on.
    pub(crate) train_nats: f64,
    /// What each would pair, if they were asked.
    pub(crate) torn: Torn,
    /// Learned variates of each part.
    pub(crate) variates: Vec<(Array2<f64>, Array2<f64>)>,
    /// Pairs of a part.
    pub(crate) compared: usize,
}

/// Trains once for each part that is held out, and asks what they would pair where `is_torn`. `None` where
/// the numbers run away.
///
/// # Shapes
/// `x` is `(n, d_x)` and `y` is `(n, d_y)`, normal scores.
pub(crate) fn cross_fitted(
    x: &Array2<f64>,
    y: &Array2<f64>,
    is_torn: bool,
    seed: u64,
) -> Option<CrossFitted> {
    let n = x.nrows();
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut stream("mi/critic", "order", seed));
    let heard = (0..FOLDS).into_par_iter().map(|fold| {
        let part = fold * n / FOLDS..(fold + 1) * n / FOLDS;
        let test = order[part.clone()].to_vec();
        let rest: Vec<usize> = order[part.end..].iter().chain(&order[..part.start]).copied().collect();
        let (validation, train) = rest.split_at(test.len() / 2);
        let split = Split { train: train.to_vec(), validation: validation.to_vec(), test };
        Some((hear(x, y, &split, is_torn, derive("mi/critic/fold", &fold.to_string(), seed))?, split.test))
    });
    let heard: Vec<(Heard, Vec<usize>)> = heard.collect::<Option<_>>()?;
    let mut terms = vec![0.0; n];
    for (heard, test) in &heard {
        test.iter().zip(&heard.test).for_each(|(row, term)| terms[*row] = *term);
    }
    let train_nats = heard.iter().map(|(heard, _)| heard.train_nats).sum::<f64>() / FOLDS as f64;
    let mut torn = Torn::default();
    let mut variates = vec![];
    for (heard, _) in heard {
        torn.extend(heard.torn);
        variates.push(heard.variates);
    }
    Some(CrossFitted { terms, train_nats, torn, variates, compared: group(n / FOLDS) })
}

/// How many rows are compared with each other where there are so many.
fn group(rows: usize) -> usize {
    rows.div_ceil(rows.div_ceil(COMPARED).max(1)).max(1)
}

/// Where training starts: leading variates of all rows, and the bilinear form that they would need if they
/// were Gaussian.
struct Start {
    u: Array2<f64>,
    v: Array2<f64>,
    /// Correlations; those beyond the first `used` are inputs only.
    correlations: Vec<f64>,
    used: usize,
}

impl Start {
    fn new(x: &Array2<f64>, y: &Array2<f64>, split: &Split) -> Option<Self> {
        let mut best: Option<(f64, Self)> = None;
        for basis in BASES {
            let (dx, dy) = (basis.size(x.ncols()), basis.size(y.ncols()));
            let rows = if matches!(basis, Basis::Each(_)) { ROWS_EACH } else { ROWS_TOGETHER };
            if basis != Basis::Each(1) && dx + dy > split.train.len() / rows {
                continue;
            }
            let (hx, hy) = (basis.of(x.view()), basis.of(y.view()));
            let train =
                concatenate![Axis(1), hx.select(Axis(0), &split.train), hy.select(Axis(0), &split.train)];
            let mut joint = covariance(train.view());
            joint.diag_mut().mapv_inplace(|value| value + 1e-3);
            let Some(found) = canonical(&joint, dx, 1e-9) else { continue };
            let k = VARIATES.min(found.correlations.len());
            let (u, v) = (
                hx.dot(&found.x_directions.slice(s![..k, ..]).t()),
                hy.dot(&found.y_directions.slice(s![..k, ..]).t()),
            );
            let correlations: Vec<f64> = found.correlations.iter().take(k).map(|r| r.min(0.99)).collect();
            for used in 0..=k {
                let start = Self { u: u.clone(), v: v.clone(), correlations: correlations.clone(), used };
                let bound = start.bound(&split.validation);
                if best.as_ref().is_none_or(|(most, _)| bound > *most + 0.005) {
                    best = Some((bound, start));
                }
            }
        }
        best.map(|(_, start)| start)
    }

    /// The bound of the starting critic on some rows.
    fn bound(&self, rows: &[usize]) -> f64 {
        let rows = &rows[..rows.len().min(COMPARED)];
        let scaled = |values: &Array2<f64>| -> Vec<f32> {
            let row = |row: usize| (0..self.used).map(move |k| (self.gain(k) * values[[row, k]]) as f32);
            rows.iter().copied().flat_map(row).collect()
        };
        let n = rows.len();
        let mut scores = vec![0.0; n * n];
        if self.used > 0 {
            kernels::matmul_t(n, n, self.used, &scaled(&self.u), &scaled(&self.v), &mut scores);
        }
        let (a, b) = (self.offsets(&self.u), self.offsets(&self.v));
        for (i, row) in scores.chunks_exact_mut(n).enumerate() {
            for (j, score) in row.iter_mut().enumerate() {
                *score += a[rows[i]] + b[rows[j]];
            }
        }
        contrast(&scores, n).iter().sum::<f64>() / n as f64
    }

    fn gain(&self, k: usize) -> f64 {
        let r = self.correlations[k];
        (r / (1.0 - r * r)).sqrt()
    }

    /// `-sum_k r_k^2 u_k^2 / 2 (1 - r_k^2)` of each row.
    fn offsets(&self, values: &Array2<f64>) -> Vec<f32> {
        let of_row = |row: ndarray::ArrayView1<'_, f64>| {
            let squares = (0..self.used).map(|k| {
                let r2 = self.correlations[k].powi(2);
                r2 * row[k].powi(2) / (2.0 * (1.0 - r2))
            });
            -squares.sum::<f64>() as f32
        };
        values.rows().into_iter().map(of_row).collect()
    }
}

struct Side {
    encoder: Encoder,
    /// `(n, input)`
    inputs: Vec<f32>,
    width: usize,
    offsets: Vec<f32>,
}

impl Side {
    fn new(scores: &Array2<f64>, variates: &Array2<f64>, start: &Start, seed: u64, label: &str) -> Self {
        let inputs = concatenate![Axis(1), scores.view(), variates.view()];
        let (d, width) = (scores.ncols(), inputs.ncols());
        // The last output is added to the score and not multiplied.
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

    /// Features of some rows, `(rows, FEATURES)`, and what is added to their scores.
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
    fn new(x: &Array2<f64>, y: &Array2<f64>, start: &Start, seed: u64) -> Self {
        Self { x: Side::new(x, &start.u, start, seed, "x"), y: Side::new(y, &start.v, start, seed, "y") }
    }

    /// `T` of all pairs of some rows, row-major.
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

    /// The part of each row in the bound, rows compared in groups, of which each is shown with its scores.
    fn heard(&self, rows: &[usize], mut show: impl FnMut(&[usize], &[f32])) -> Vec<f64> {
        let of_group = |rows: &[usize]| {
            let (scores, ..) = self.scores(rows, &mut Default::default());
            show(rows, &scores);
            contrast(&scores, rows.len())
        };
        rows.chunks(group(rows.len())).flat_map(of_group).collect()
    }

    fn terms(&self, rows: &[usize]) -> Vec<f64> {
        self.heard(rows, |_, _| ())
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
                let bound = terms.iter().sum::<f64>() / terms.len() as f64;
                if bound > best.0 {
                    best = (bound, step, (self.x.encoder.clone(), self.y.encoder.clone()));
                }
                if step - best.1 > PATIENCE || !bound.is_finite() {
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

    /// Canonical variates of the features, directions from one set of rows and values at another.
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
