//! Computes the two bounds of `channel` from points and draws. The cost is proportional to points times
//! draws.
//!
//! The formulae are in [`crate::mi::estimators::channel`]; points and draws are defined in
//! [`crate::mi::channel::points`]. Let `S_i = sum_{j!=i} c_j exp R_ij` over points. The sum over all pairs is
//! `S_i + c_i`, and the sum without pair `i` is `S_i + c_i - 1`. Neither sum is a difference of large
//! numbers, so no precision is lost. All sums are kept as logarithms, so no distance underflows.

use std::ops::Range;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::log_sum_exp;
use super::points::{Group, NoiseSample, Points};
use crate::numeric::kernels;

/// Number of draws in a block: large enough for a fast matrix product, and small enough that the product fits
/// in the cache. The size is fixed, because the rounding of a matrix product depends on its shape.
const BLOCK: usize = 128;

/// Domain separator: the noise of the channel and other random values with the same seed have different
/// random streams.
const NOISE_DOMAIN: &[u8; 24] = b"surmise/mi/channel/noise";

/// The two bounds at one precision.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) lower_nats: f64,
    pub(crate) upper_nats: f64,
    /// Standard error of the midpoint of the two bounds.
    pub(crate) stderr_nats: f64,
}

/// The contribution of one draw to the bounds at one precision.
#[derive(Debug, Clone, Copy, Default)]
struct Term {
    lower: f64,
    upper: f64,
}

/// Computes the bounds for each `sigma`, the standard deviation of the noise in each coordinate.
pub(crate) fn bounds(points: &Points, sigmas: &[f64], seed: u64) -> Vec<Bounds> {
    // For bit-identical results, blocks do not depend on the number of threads, and terms are summed in the
    // order of the draws.
    let terms: Vec<Vec<Term>> = (0..points.draws.len().div_ceil(BLOCK))
        .into_par_iter()
        .map_init(Scratch::default, |scratch, block| {
            let end = points.draws.len().min((block + 1) * BLOCK);
            block_terms(points, block * BLOCK..end, sigmas, seed, scratch)
        })
        .collect();
    let terms = terms.concat();
    (0..sigmas.len())
        .map(|noise_scale| {
            let terms = terms.iter().skip(noise_scale).step_by(sigmas.len());
            mean(points, terms)
        })
        .collect()
}

/// Buffers that a thread reuses for each block.
#[derive(Default)]
struct Scratch {
    left: Vec<f32>,
    product: Vec<f32>,
}

/// The terms of a block of draws: one per draw and `sigma`, with `sigma` varying fastest.
fn block_terms(
    points: &Points,
    block: Range<usize>,
    sigmas: &[f64],
    seed: u64,
    scratch: &mut Scratch,
) -> Vec<Term> {
    let (m, d) = (points.len(), points.d);
    let draws = &points.draws[block.clone()];
    let first = draws.first().map_or(0, |draw| draw.point);
    let last = draws.last().map_or(0, |draw| draw.point);

    // Stack the noise vectors of the block below the points of the block, so that one matrix product gives
    // `y_i . y_j` and `z_i . y_j`.
    let left = &mut scratch.left;
    left.clear();
    left.extend_from_slice(&points.values[first * d..(last + 1) * d]);
    for draw in block {
        let mut generator = noise_generator(seed, draw);
        left.extend((0..d).map(|_| -> f32 { StandardNormal.sample(&mut generator) }));
    }
    let height = left.len() / d;
    if scratch.product.len() < height * m {
        scratch.product.resize(height * m, 0.0);
    }
    let product = &mut scratch.product[..height * m];
    kernels::matmul(height, m, d, left, &points.transposed, product);

    let (distances, noise) = product.split_at_mut((last + 1 - first) * m);
    for (point, row) in (first..=last).zip(distances.chunks_exact_mut(m)) {
        log_sum_exp::to_distances(row, &points.half_norms, points.half_norms[point]);
        row[point] = f32::NEG_INFINITY;
    }
    let mut terms = Vec::with_capacity(draws.len() * sigmas.len());
    for (&NoiseSample { point, group }, noise) in draws.iter().zip(noise.chunks_exact_mut(m)) {
        log_sum_exp::subtract(noise, noise[point]);
        let distances = &distances[(point - first) * m..][..m];
        let group = &points.groups[group];
        let of_draw = |&sigma: &f64| term(points, point, group, distances, noise, sigma);
        terms.extend(sigmas.iter().map(of_draw));
    }
    terms
}

/// The term of one draw: the mean over `z` and `-z`.
///
/// # Shapes
/// `distances` is `(m)` and contains `-|y_i - y_j|^2 / 2`, or `-inf` for `j = i`; `noise` is `(m)` and
/// contains `z . (y_j - y_i)`.
fn term(points: &Points, point: usize, group: &Group, distances: &[f32], noise: &[f32], sigma: f64) -> Term {
    let scales = (sigma.powi(-2) as f32, sigma.recip() as f32);
    let others = log_sum_exp::pair(distances, noise, &points.counts, scales);
    let same = group.points.clone();
    let others_of_group = if same.len() > 1 {
        let (distances, noise) = (&distances[same.clone()], &noise[same.clone()]);
        log_sum_exp::pair(distances, noise, &points.counts[same], scales)
    } else {
        [f64::NEG_INFINITY; 2]
    };

    let n = points.n;
    let own = f64::from(points.counts[point]);
    // Logarithms of two means: over all `count` pairs, and over all pairs except the pair of this draw.
    let inclusive = |others: f64, count: f64| log_add_exp(others, own.ln()) - count.ln();
    let leave_one_out = |others: f64, count: f64| log_add_exp(others, (own - 1.0).ln()) - (count - 1.0).ln();
    let mut term = Term::default();
    for (others, others_of_group) in others.into_iter().zip(others_of_group) {
        let (lower, upper) = if !points.is_grouped() {
            (-inclusive(others, n), -leave_one_out(others, n))
        } else if group.count > 1.0 {
            (
                leave_one_out(others_of_group, group.count) - inclusive(others, n),
                inclusive(others_of_group, group.count) - leave_one_out(others, n),
            )
        } else {
            // If a group has a single pair, there are no other pairs from which to estimate the density, so
            // the pair adds 0 to the lower bound.
            (0.0, -leave_one_out(others, n))
        };
        term.lower += 0.5 * lower;
        term.upper += 0.5 * upper;
    }
    term
}

/// Means of the bounds over the `n` pairs, and the standard error of their midpoint.
///
/// # Formula
/// `stderr^2 = sum_i c_i (m_i - mean)^2 / (n (n-1)) + sum_i c_i (c_i - 1) s_i^2 / n^2`, where `m_i` is the
/// midpoint at point `i` and `s_i^2` is the variance of `m_i` as a mean over draws. The first sum treats the
/// `c_i` pairs at a point as independent. The second sum adds the covariance of these pairs, which share
/// `m_i`. If all pairs differ, the result is the standard deviation of the terms divided by `sqrt(n)`.
fn mean<'t>(points: &Points, terms: impl Iterator<Item = &'t Term>) -> Bounds {
    let mut terms = terms;
    let (mut lower, mut upper) = (Moments::default(), Moments::default());
    let (mut middle, mut shared) = (Moments::default(), 0.0);
    for draws in points.draws.chunk_by(|a, b| a.point == b.point) {
        let count = f64::from(points.counts[draws[0].point]);
        let mut at_point = Moments::default();
        for term in terms.by_ref().take(draws.len()) {
            lower.add(term.lower, count / draws.len() as f64);
            upper.add(term.upper, count / draws.len() as f64);
            at_point.add(0.5 * (term.lower + term.upper), 1.0);
        }
        middle.add(at_point.mean, count);
        shared += count * (count - 1.0) * at_point.variance_of_mean();
    }
    let n = points.n;
    Bounds {
        lower_nats: lower.mean,
        upper_nats: upper.mean,
        stderr_nats: (middle.squares / (n * (n - 1.0)) + shared / (n * n)).sqrt(),
    }
}

/// Running weighted mean and weighted sum of squared deviations from the mean (West 1979).
#[derive(Default)]
struct Moments {
    weight: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64, weight: f64) {
        self.weight += weight;
        let before = value - self.mean;
        self.mean += before * weight / self.weight;
        self.squares += weight * before * (value - self.mean);
    }

    /// Variance of the mean of values of weight 1. For a single value the result is 0, which has no effect:
    /// such a point has one pair, so the formula multiplies its variance by 0.
    fn variance_of_mean(&self) -> f64 {
        if self.weight > 1.0 { self.squares / (self.weight - 1.0) / self.weight } else { 0.0 }
    }
}

/// `log(exp a + exp b)`; `-inf` stands for the logarithm of 0.
fn log_add_exp(a: f64, b: f64) -> f64 {
    let (small, large) = if a < b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

/// The random generator for the noise of one draw. Each draw has its own stream, so the noise does not depend
/// on the blocks.
fn noise_generator(seed: u64, draw: usize) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(NOISE_DOMAIN);
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(draw as u64);
    generator
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mi::Scale;
    use crate::mi::samples::distinct::Distinct;
    use crate::numeric::matrix::Matrix;
    use ndarray::{Array2, array};

    /// Computes the bounds over all pairs directly from the definition of `A_ij`, in `f64`, with the same
    /// noise as the estimator.
    ///
    /// `y` is `(n, d)`, standardised, in the order of the points; `group[i]` identifies the value of `x`.
    fn by_definition(y: &[Vec<f64>], group: &[usize], grouped: bool, sigma: f64) -> (f64, f64) {
        let n = y.len();
        let (mut lower, mut upper) = (0.0, 0.0);
        for i in 0..n {
            let mut generator = noise_generator(3, i);
            let z: Vec<f32> = y[i].iter().map(|_| StandardNormal.sample(&mut generator)).collect();
            for sign in [1.0, -1.0] {
                let exp_a = |j: usize| -> f64 {
                    let square: f64 = (0..z.len())
                        .map(|k| (y[i][k] + sign * sigma * f64::from(z[k]) - y[j][k]).powi(2))
                        .sum();
                    (-square / (2.0 * sigma * sigma)).exp()
                };
                let log_mean = |of: &dyn Fn(usize) -> bool| {
                    let members: Vec<f64> = (0..n).filter(|&j| of(j)).map(exp_a).collect();
                    (members.iter().sum::<f64>() / members.len() as f64).ln()
                };
                let inclusive = log_mean(&|_| true);
                let leave_one_out = log_mean(&|j| j != i);
                let (own_lower, own_upper) = if !grouped {
                    (exp_a(i).ln(), exp_a(i).ln())
                } else {
                    (log_mean(&|j| group[j] == group[i] && j != i), log_mean(&|j| group[j] == group[i]))
                };
                if !own_lower.is_nan() {
                    lower += 0.5 * (own_lower - inclusive) / n as f64;
                }
                upper += 0.5 * (own_upper - leave_one_out) / n as f64;
            }
        }
        (lower, upper)
    }

    fn agree_with_the_definition(x: &Array2<f32>, y: &Array2<f32>, grouped: bool) {
        let x = Matrix::new("x", x.view()).expect("finite");
        let y = Matrix::new("y", y.view()).expect("finite");
        let distinct = Distinct::new(&x, &y);
        assert_eq!(distinct.is_grouped(), grouped);
        let points = Points::new(Scale::Spread.standardise(&y, &distinct), &distinct);
        // There are fewer pairs than the target number of draws, so each pair has its own draw.
        assert_eq!(points.draws.len(), y.rows());
        let values = points.draws.iter().map(|draw| {
            let row = &points.values[draw.point * points.d..][..points.d];
            row.iter().map(|&value| f64::from(value)).collect()
        });
        let values: Vec<Vec<f64>> = values.collect();
        let group: Vec<usize> = points.draws.iter().map(|draw| draw.group).collect();
        for sigma in [0.3, 1.0, 3.0] {
            let found = bounds(&points, &[2.0, sigma], 3)[1];
            let (lower, upper) = by_definition(&values, &group, grouped, sigma);
            // Products in f32 of values near 1 have an error of a few 1e-7 / sigma^2.
            assert!((found.lower_nats - lower).abs() < 1e-5, "lower {lower}: {found:?}");
            assert!((found.upper_nats - upper).abs() < 1e-5, "upper {upper}: {found:?}");
        }
    }

    #[test]
    fn bounds_with_one_y_for_each_x_agree_with_their_definition() {
        let x = array![[1.0], [2.0], [3.0], [2.0], [4.0], [2.0]];
        let y = array![[0.1, 1.0], [0.7, -0.5], [-1.3, 0.2], [0.7, -0.5], [0.4, 0.9], [0.7, -0.5]];
        agree_with_the_definition(&x, &y, false);
    }

    #[test]
    fn bounds_with_several_y_for_an_x_agree_with_their_definition() {
        let x = array![[1.0], [2.0], [3.0], [2.0], [1.0], [2.0], [4.0], [2.0]];
        let y = array![[0.1], [0.7], [-1.3], [0.2], [0.5], [0.7], [-0.6], [0.9]];
        agree_with_the_definition(&x, &y, true);
    }

    #[test]
    fn log_add_exp_takes_the_logarithm_of_nothing() {
        assert_eq!(log_add_exp(f64::NEG_INFINITY, 2.0), 2.0);
        assert_eq!(log_add_exp(f64::NEG_INFINITY, f64::NEG_INFINITY), f64::NEG_INFINITY);
        assert!((log_add_exp(0.0, 0.0) - 2.0_f64.ln()).abs() < 1e-15);
    }
}
