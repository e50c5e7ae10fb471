//! Gaussian process regression (Rasmussen and Williams 2006, chapter 2) on standardised inputs: a linear and
//! a smooth part, `k(a, b) = linear a.b / d + smooth exp(-sum_j r_j (a_j - b_j)^2 / (2 d length^2))`, and
//! noise. The relevance `r_j` of each input is learnt if there are few inputs. The scales maximise the
//! marginal likelihood times weak priors, which prevent extreme scales when rows are few.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::basis::Basis;
use super::kernel_matrix::Factor;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::{Link, sigmoid};
use crate::calibration::table::sample::Predictors;
use crate::error::Result;
use crate::numeric::statistics::weighted_mean;

const LEAST_ROWS: usize = 8;
/// Maximum number of training rows of the process. For a larger set, evenly spaced rows are used.
const MOST_ROWS: usize = 300;
/// Maximum number of rows that the search for the scales uses.
const MOST_SEARCHED: usize = 90;
/// Maximum number of inputs for which relevances are learnt.
const MOST_RELEVANCES: usize = 10;
/// Steps of the search in each scale, in natural logarithms.
const STEPS: [f64; 3] = [1.0, 0.5, 0.25];
/// Number of reweighting steps for the quasi-likelihood of shares.
const REWEIGHTED: usize = 4;
/// Limit of the absolute linear predictor, and of the step that is added to it, in a working response.
const FURTHEST: f64 = 6.0;
/// Mean and standard deviation of the normal prior of the logarithm of each scale: linear, smooth, length,
/// noise.
const PRIORS: [(f64, f64); 4] = [(0.0, 1.5), (-0.7, 1.5), (0.0, 1.0), (-3.0, 1.5)];

/// A Gaussian process on the scale of the link, or in the unit of the response.
#[derive(Debug)]
pub(super) struct GaussianProcess {
    pub(super) name: &'static str,
    pub(super) on_link: bool,
    pub(super) complexity: u32,
}

/// Scales of the kernel: the logarithms of linear, smooth, length and noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kernel {
    logs: [f64; 4],
    /// Relevance of each input.
    relevance: Vec<f64>,
}

/// A fitted process, which predicts from its training inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FittedProcess {
    on_link: bool,
    with_size: bool,
    kernel: Kernel,
    inputs: Vec<Vec<f64>>,
    /// `K^-1 (y - centre) / spread`.
    weights: Vec<f64>,
    centre: f64,
    spread: f64,
}

impl Candidate for GaussianProcess {
    fn name(&self) -> &'static str {
        self.name
    }

    fn complexity(&self) -> u32 {
        self.complexity
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        Ok(self.of(train, None))
    }

    fn fit_part(&self, train: &TrainingSet, whole: &dyn FittedModel) -> Result<Option<Arc<dyn FittedModel>>> {
        let whole = (whole as &dyn std::any::Any).downcast_ref::<FittedProcess>();
        Ok(self.of(train, whole.map(|whole| (&whole.kernel, whole.with_size))))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        serde_json::from_value::<FittedProcess>(parameters)
            .map(|model| -> Arc<dyn FittedModel> { Arc::new(model) })
    }
}

impl GaussianProcess {
    fn of(&self, train: &TrainingSet, given: Option<(&Kernel, bool)>) -> Option<Arc<dyn FittedModel>> {
        let n = train.sample.len();
        // For an unbounded response, the scale of the link is the unit of the response, so the process on the
        // link is enough.
        if n < LEAST_ROWS || (!self.on_link && !train.link.is_bounded()) {
            return None;
        }
        let with_size = given.map_or_else(|| train.has_sizes(), |(_, with_size)| with_size);
        let all = train.inputs(with_size);
        if all.ncols() == 0 {
            return None;
        }
        let kept: Vec<usize> = spaced(n, MOST_ROWS);
        let inputs = all.select(ndarray::Axis(0), &kept);
        let pick = |values: &[f64]| kept.iter().map(|&i| values[i]).collect::<Vec<f64>>();
        let y = if self.on_link { pick(&train.eta.to_vec()) } else { pick(&train.sample.y) };
        let row_weights = pick(&train.sample.weights);
        let centre = weighted_mean(&y, &row_weights);
        let square: Vec<f64> = y.iter().map(|value| (value - centre).powi(2)).collect();
        let spread = weighted_mean(&square, &row_weights).sqrt();
        if spread <= 0.0 {
            return None;
        }
        let mean_weight = row_weights.iter().sum::<f64>() / row_weights.len() as f64;
        let noise: Vec<f64> = row_weights.iter().map(|weight| mean_weight / weight.max(1e-9)).collect();
        let shares = train.shares().filter(|_| self.on_link).map(|shares| pick(&shares));
        let mut working = Working { y, noise: noise.clone() };
        if let Some(shares) = &shares {
            let eta = working.y.clone();
            working = Working::at(&eta, shares, &noise);
        }
        let scaled = |y: &[f64]| y.iter().map(|value| (value - centre) / spread).collect::<Vec<f64>>();
        let kernel = match given {
            Some((kernel, _)) => kernel.clone(),
            None => {
                let few: Vec<usize> = spaced(working.y.len(), MOST_SEARCHED);
                let of = |values: &[f64]| few.iter().map(|&i| values[i]).collect::<Vec<f64>>();
                let (y, noise) = (of(&scaled(&working.y)), of(&working.noise));
                Problem::new(&inputs.select(ndarray::Axis(0), &few), &y, &noise).search()
            }
        };
        let mut weights = Problem::new(&inputs, &scaled(&working.y), &working.noise).weights(&kernel)?;
        if let Some(shares) = &shares {
            for _ in 0..REWEIGHTED {
                let own = kernel.logs[3].exp();
                let rows = working.y.iter().zip(&working.noise).zip(&weights);
                let eta: Vec<f64> = rows.map(|((y, noise), w)| y - spread * own * noise * w).collect();
                working = Working::at(&eta, shares, &noise);
                weights = Problem::new(&inputs, &scaled(&working.y), &working.noise).weights(&kernel)?;
            }
        }
        Some(Arc::new(FittedProcess {
            on_link: self.on_link,
            with_size,
            kernel,
            inputs: inputs.outer_iter().map(|row| row.to_vec()).collect(),
            weights,
            centre,
            spread,
        }))
    }
}

/// Working responses and the variances of their noise, relative to the mean variance.
struct Working {
    y: Vec<f64>,
    noise: Vec<f64>,
}

impl Working {
    /// The working responses of the quasi-likelihood of shares at the linear predictor `eta` (McCullagh and
    /// Nelder 1989, section 2.5).
    fn at(eta: &[f64], shares: &[f64], noise: &[f64]) -> Self {
        let rows = eta.iter().zip(shares).map(|(eta, share)| {
            let eta = eta.clamp(-FURTHEST, FURTHEST);
            let fitted = sigmoid(eta);
            let curve = fitted * (1.0 - fitted);
            (eta + ((share - fitted) / curve).clamp(-FURTHEST, FURTHEST), curve)
        });
        let (y, curves): (Vec<f64>, Vec<f64>) = rows.unzip();
        let mean = curves.iter().sum::<f64>() / curves.len().max(1) as f64;
        let noise = noise.iter().zip(&curves).map(|(noise, curve)| noise * mean / curve).collect();
        Self { y, noise }
    }
}

/// At most `most` of `n` rows, evenly spaced.
fn spaced(n: usize, most: usize) -> Vec<usize> {
    let few = n.min(most);
    (0..few).map(|at| at * n / few).collect()
}

impl Kernel {
    fn of_pair(&self, product: f64, distance: f64, d: f64) -> f64 {
        let [linear, smooth, length, _] = self.logs.map(f64::exp);
        linear * product / d + smooth * (-distance / (2.0 * d * length * length)).exp()
    }

    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        self.relevance.iter().zip(a).zip(b).map(|((r, a), b)| r * (a - b).powi(2)).sum()
    }
}

struct Problem<'a> {
    inputs: &'a Array2<f64>,
    y: &'a [f64],
    /// Noise variance of each row, relative to the mean variance.
    noise: &'a [f64],
    products: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(inputs: &'a Array2<f64>, y: &'a [f64], noise: &'a [f64]) -> Self {
        let products = inputs.dot(&inputs.t()).iter().copied().collect();
        Self { inputs, y, noise, products }
    }

    fn distances(&self, relevance: &[f64]) -> Vec<f64> {
        let n = self.y.len();
        let rows: Vec<Vec<f64>> = self.inputs.outer_iter().map(|row| row.to_vec()).collect();
        let mut distances = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..i {
                let terms = relevance.iter().zip(&rows[i]).zip(&rows[j]);
                distances[i * n + j] = terms.map(|((r, a), b)| r * (a - b) * (a - b)).sum();
            }
        }
        distances
    }

    fn factor(&self, kernel: &Kernel, distances: &[f64]) -> Option<Factor> {
        let (n, d) = (self.y.len(), self.inputs.ncols() as f64);
        let noise = kernel.logs[3].exp();
        let mut matrix = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                matrix[i * n + j] = kernel.of_pair(self.products[i * n + j], distances[i * n + j], d);
            }
            matrix[i * n + i] += noise * self.noise[i];
        }
        Factor::new(n, matrix)
    }

    /// The logarithm of the posterior density of the scales, up to a constant.
    fn posterior(&self, kernel: &Kernel, distances: &[f64]) -> f64 {
        let Some(factor) = self.factor(kernel, distances) else { return f64::NEG_INFINITY };
        let solved = factor.solve(self.y);
        let fit: f64 = solved.iter().zip(self.y).map(|(a, b)| a * b).sum();
        let priors = kernel.logs.iter().zip(PRIORS);
        let prior: f64 = priors.map(|(log, (centre, sd))| ((log - centre) / sd).powi(2)).sum();
        let relevance: f64 = kernel.relevance.iter().map(|r| r.ln().powi(2)).sum();
        -0.5 * (fit + factor.log_determinant() + prior + relevance)
    }

    /// Finds the scales by a pattern search: one scale at a time, with decreasing steps.
    fn search(&self) -> Kernel {
        let d = self.inputs.ncols();
        let mut kernel = Kernel { logs: PRIORS.map(|(centre, _)| centre), relevance: vec![1.0; d] };
        let distances = self.distances(&kernel.relevance);
        let mut best = self.posterior(&kernel, &distances);
        for step in STEPS {
            for _ in 0..4 {
                let before = best;
                for at in 0..4 {
                    for sign in [1.0, -1.0] {
                        let mut next = kernel.clone();
                        next.logs[at] += sign * step;
                        let density = self.posterior(&next, &distances);
                        if density > best {
                            (kernel, best) = (next, density);
                            break;
                        }
                    }
                }
                if best <= before + 1e-3 {
                    break;
                }
            }
        }
        for at in (0..d).filter(|_| d > 1 && d <= MOST_RELEVANCES) {
            for factor in [4.0, 0.25] {
                let mut next = kernel.clone();
                next.relevance[at] *= factor;
                let moved = self.distances(&next.relevance);
                let density = self.posterior(&next, &moved);
                if density > best {
                    (kernel, best) = (next, density);
                    break;
                }
            }
        }
        kernel
    }

    fn weights(&self, kernel: &Kernel) -> Option<Vec<f64>> {
        let distances = self.distances(&kernel.relevance);
        self.factor(kernel, &distances).map(|factor| factor.solve(self.y))
    }
}

impl FittedModel for FittedProcess {
    fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64 {
        let at = basis.inputs(x, predictors, self.with_size);
        let d = at.len() as f64;
        let terms = self.inputs.iter().zip(&self.weights).map(|(row, weight)| {
            let product: f64 = row.iter().zip(&at).map(|(a, b)| a * b).sum();
            weight * self.kernel.of_pair(product, self.kernel.distance(row, &at), d)
        });
        let value = self.centre + self.spread * terms.sum::<f64>();
        if self.on_link { link.invert(value, 0.0) } else { link.within(value) }
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> std::result::Result<(), String> {
        let width = p + usize::from(self.with_size);
        if self.inputs.len() != self.weights.len() {
            return Err(format!(
                "weights has {} numbers, but there are {} rows of inputs",
                self.weights.len(),
                self.inputs.len()
            ));
        }
        let lengths = self.inputs.iter().map(Vec::len).chain([self.kernel.relevance.len()]);
        match lengths.into_iter().find(|length| *length != width) {
            Some(length) => Err(format!(
                "a row of inputs or the relevance has {length} numbers, but {width} are expected"
            )),
            None => Ok(()),
        }
    }

    fn is_finite(&self) -> bool {
        let inputs = self.inputs.iter().flatten();
        let others =
            self.kernel.logs.iter().chain(&self.kernel.relevance).chain([&self.centre, &self.spread]);
        inputs.chain(&self.weights).chain(others).all(|value| value.is_finite())
    }

    fn feature_importance(&self, basis: &Basis) -> Vec<f64> {
        self.kernel.relevance.iter().take(basis.sd.len()).copied().collect()
    }

    fn uses_size(&self) -> bool {
        self.with_size
    }
}
