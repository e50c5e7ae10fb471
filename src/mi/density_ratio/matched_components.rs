//! Models the density ratio as a product over pairs of columns, one from each side, after a linear map of
//! each side. This model is suitable if the sides are rotations or mixtures of independent pairs of values.
//!
//! ```text
//! log p(x, y) / p(x) p(y)  =  sum_k log p(s_k, t_k) / p(s_k) p(t_k),   s = A x,  t = B y
//! ```
//!
//! The maps are found in one of two ways. In the first, each side is mapped to its own independent
//! components, which are then matched by the correlations of their values and squares. In the second, only
//! one side is mapped to independent components, and linear regression finds the matching components of the
//! other side. A smoothed histogram of the ranks gives the density ratio of a pair, from which the held-out
//! score is computed. The estimate is the sum of nearest-neighbour estimates of the pairs. With one column on
//! each side, nearest-neighbour estimates are accurate even at sharp edges, where the estimate of every
//! smooth model is too low.
//!
//! # References
//! Comon 1994 (independent components); Kraskov, Stögbauer, Grassberger 2004.

use ndarray::{Array1, Array2, Axis, s};
use rayon::prelude::*;

use super::held_out_score::{DensityRatio, HeldOutScore, evaluate_halves, parts};
use super::smooth_histogram::SmoothHistogram;
use crate::mi::neighbours::ksg::pointwise_nats_at;
use crate::numeric::components::Components;
use crate::numeric::linear::{cholesky, covariance, invert_lower};
use crate::numeric::normal_scores::normal_scores;
use crate::numeric::statistics::{mean, mean_and_stderr, pearson};

/// Maximum number of columns on a side.
const MOST_COLUMNS: usize = 12;
/// Numbers of neighbours `k`. The estimates for these numbers are averaged. With more neighbours the estimate
/// is too low at sharp edges.
const NEIGHBOURS: [usize; 2] = [1, 2];

/// The sides that have their own independent components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Both sides.
    Both,
    /// Only `x`; regression on the components of `x` gives the components of `y`.
    X,
    /// Only `y`; regression on the components of `y` gives the components of `x`.
    Y,
}

/// Linear maps from both sides to matched components.
#[derive(Debug, Clone)]
struct Maps {
    x: Linear,
    y: Linear,
    /// Indices of the matched components of `x` and `y`.
    pairs: Vec<(usize, usize)>,
}

#[derive(Debug, Clone)]
struct Linear {
    mean: Array1<f64>,
    /// The map, `(components, d)`.
    map: Array2<f64>,
}

/// The maps, and a density ratio for each pair of components.
#[derive(Debug, Clone)]
struct MatchedComponents {
    maps: Maps,
    ratios: Vec<SmoothHistogram>,
}

/// Fits the model. Returns its held-out score, and the standard error of its estimate. `None` for unsuitable
/// numbers of columns or if no fit succeeds.
///
/// # Shapes
/// `z` is `(n, d)`; its first `dx` columns are `x`.
pub(crate) fn matched_components(z: &Array2<f64>, dx: usize, seed: u64) -> Option<(HeldOutScore, f64)> {
    let dy = z.ncols() - dx;
    if dx.min(dy) < 2 || dx.max(dy) > MOST_COLUMNS {
        return None;
    }
    let parts = parts(z.nrows(), seed);
    let sources: &[Source] = if dx == dy { &[Source::Both, Source::X, Source::Y] } else { &[Source::Both] };
    let of_source = |source: &Source| {
        let fit = |rows: &Array2<f64>| MatchedComponents::fit(rows, dx, *source);
        Some((evaluate_halves(z, dx, &parts, fit, None)?, *source))
    };
    let found: Vec<_> = sources.par_iter().filter_map(of_source).collect();
    let (mut best, source) = found.into_iter().max_by(|a, b| a.0.score().total_cmp(&b.0.score()))?;
    let (mut value_nats, mut variance) = (0.0, 0.0);
    for (s, t) in Maps::fit(z, dx, source)?.of(z, dx) {
        let (s, t) = (uniform(&s), uniform(&t));
        let of_neighbours = NEIGHBOURS.map(|k| mean_and_stderr(&pointwise_nats_at(&s, &t, k)));
        value_nats += mean(&of_neighbours.map(|(nats, _)| nats));
        variance += mean(&of_neighbours.map(|(_, stderr)| stderr)).powi(2);
    }
    best.value_nats = value_nats;
    Some((best, variance.sqrt()))
}

/// Ranks, scaled to the range from 0 to 1. Unlike normal scores, scaled ranks keep edges sharp.
fn uniform(values: &[f64]) -> Array2<f64> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    let mut ranks = Array2::zeros((n, 1));
    order.into_iter().enumerate().for_each(|(rank, row)| ranks[[row, 0]] = rank as f64 / n as f64);
    ranks
}

impl Maps {
    fn fit(z: &Array2<f64>, dx: usize, source: Source) -> Option<Self> {
        let (x, y) = (z.slice(s![.., ..dx]).to_owned(), z.slice(s![.., dx..]).to_owned());
        match source {
            Source::Both => {
                let (of_x, of_y) = (Linear::components(&x)?, Linear::components(&y)?);
                let pairs = matched(&of_x.of(&x), &of_y.of(&y));
                Some(Self { x: of_x, y: of_y, pairs })
            }
            Source::X => {
                let of_x = Linear::components(&x)?;
                let of_y = Linear::regressed(&of_x.of(&x), &y)?;
                Some(Self { x: of_x, y: of_y, pairs: (0..dx).map(|k| (k, k)).collect() })
            }
            Source::Y => {
                let of_y = Linear::components(&y)?;
                let of_x = Linear::regressed(&of_y.of(&y), &x)?;
                Some(Self { x: of_x, y: of_y, pairs: (0..dx).map(|k| (k, k)).collect() })
            }
        }
    }

    /// The two columns of each pair of matched components.
    fn of(&self, z: &Array2<f64>, dx: usize) -> Vec<(Vec<f64>, Vec<f64>)> {
        let s = self.x.of(&z.slice(s![.., ..dx]).to_owned());
        let t = self.y.of(&z.slice(s![.., dx..]).to_owned());
        self.pairs.iter().map(|(i, j)| (s.column(*i).to_vec(), t.column(*j).to_vec())).collect()
    }
}

/// Matches components of both sides greedily, in decreasing order of their correlation. Each component is
/// used at most once.
fn matched(s: &Array2<f64>, t: &Array2<f64>) -> Vec<(usize, usize)> {
    let with_squares = |a: &Array2<f64>| -> Vec<[Vec<f64>; 2]> {
        let scores = normal_scores(a);
        let squares = scores.mapv(|value| value * value);
        scores.columns().into_iter().zip(squares.columns()).map(|(a, b)| [a.to_vec(), b.to_vec()]).collect()
    };
    let (s, t) = (with_squares(s), with_squares(t));
    let mut strengths: Vec<(f64, usize, usize)> = vec![];
    for (i, s) in s.iter().enumerate() {
        for (j, t) in t.iter().enumerate() {
            strengths.push((pearson(&s[0], &t[0]).abs().max(pearson(&s[1], &t[1]).abs()), i, j));
        }
    }
    strengths.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut pairs: Vec<(usize, usize)> = vec![];
    for (_, i, j) in strengths {
        if pairs.iter().all(|(a, b)| *a != i && *b != j) {
            pairs.push((i, j));
        }
    }
    pairs
}

impl Linear {
    fn components(z: &Array2<f64>) -> Option<Self> {
        let Components { mean, map } = Components::fit(z)?;
        Some(Self { mean, map })
    }

    /// Regresses `z` on the `sources` by least squares and inverts the slopes, so that the result maps `z` to
    /// the sources plus noise. `None` if the slopes are singular.
    fn regressed(sources: &Array2<f64>, z: &Array2<f64>) -> Option<Self> {
        let n = z.nrows() as f64;
        let mean = z.mean_axis(Axis(0))?;
        let centred = z - &mean;
        // The sources are white and centred, so their products with z are the slopes in z = S slopes + noise.
        let slopes = sources.t().dot(&centred) / n;
        // slopes^-1 = slopes^T (slopes slopes^T)^-1
        let inverse = invert_lower(&cholesky(&slopes.dot(&slopes.t()), 1e-6)?);
        let map = inverse.t().dot(&inverse).dot(&slopes);
        let spread = covariance(centred.dot(&map.t()).view());
        let is_finite = spread.iter().all(|value| value.is_finite());
        is_finite.then_some(Self { mean, map })
    }

    fn of(&self, z: &Array2<f64>) -> Array2<f64> {
        (z - &self.mean).dot(&self.map.t())
    }
}

impl MatchedComponents {
    fn fit(z: &Array2<f64>, dx: usize, source: Source) -> Option<Self> {
        let maps = Maps::fit(z, dx, source)?;
        let ratios = maps.of(z, dx).par_iter().map(|(s, t)| SmoothHistogram::fit(s, t)).collect();
        Some(Self { maps, ratios })
    }

    /// The cells of each row in the histogram of each pair of components.
    fn cells(&self, z: &Array2<f64>, dx: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let columns = self.maps.of(z, dx);
        columns.iter().zip(&self.ratios).map(|((s, t), ratios)| ratios.cells(s, t)).collect()
    }
}

impl DensityRatio for MatchedComponents {
    fn log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f64>> {
        let mut sums = vec![0.0; z.nrows()];
        for ((x, y), ratios) in self.cells(z, dx).iter().zip(&self.ratios) {
            let pairs = x.iter().zip(y);
            sums.iter_mut().zip(pairs).for_each(|(sum, (a, b))| *sum += ratios.log[[*a, *b]]);
        }
        Some(sums)
    }

    fn pairwise_log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f32>> {
        let n = z.nrows();
        let mut sums = vec![0.0_f32; n * n];
        for ((x, y), ratios) in self.cells(z, dx).iter().zip(&self.ratios) {
            let log = ratios.log.mapv(|value| value as f32);
            for (row, a) in sums.chunks_exact_mut(n).zip(x) {
                let log = log.row(*a);
                row.iter_mut().zip(y).for_each(|(sum, b)| *sum += log[*b]);
            }
        }
        Some(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use ndarray::{array, concatenate};
    use rand::Rng;

    #[test]
    fn pairs_that_were_mixed_on_either_side_are_found_again() {
        let mut generator = stream("test", "matched", 1);
        let mut draw =
            |from: f64, to: f64| Array2::from_shape_simple_fn((2000, 2), || generator.random_range(from..to));
        let (x, noise) = (draw(0.0, 1.0), draw(-0.3, 0.3));
        let y = &x + &noise;
        let z = concatenate![
            Axis(1),
            x.dot(&array![[0.8, 0.6], [-0.6, 0.8]]),
            y.dot(&array![[0.0, 1.0], [-1.0, 0.4]])
        ];
        // The information between a uniform value and the same value plus uniform noise of half-width e is e
        // - log 2e.
        let exact = 2.0 * (0.3 - 0.6_f64.ln());
        let (found, stderr_nats) = matched_components(&z, 2, 1).expect("a fit");
        assert!((found.value_nats - exact).abs() < 0.08 && stderr_nats < 0.05, "{exact} {found:?}");
        assert!(found.score() > 0.75 * exact && found.score() < exact, "{exact} {}", found.score());
    }
}
