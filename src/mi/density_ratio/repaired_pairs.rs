//! Re-pairs samples at random, with probabilities from the density ratios of a model. The new pairs have the
//! dependence that the model describes and exactly the marginals of the samples.
//!
//! # References
//! Berrett, Wang, Barber, Samworth 2020 (permutations drawn by swaps of two pairs).

use ndarray::{Array2, Axis, s};
use rand::Rng;

use super::neighbour_residual;
use super::neighbour_residual::{Residual, Sides, sides};

/// Number of permutations drawn.
const DRAWS: usize = 2;
/// Number of proposed swaps for each row. If one in fifty is accepted, there are eight swaps per row.
const SWEEPS: usize = 400;

/// Samples that were re-paired with probabilities from a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct RepairedPairs {
    /// For each row of `x`, the index of the row and the row of its new `y` in each draw.
    partners: Vec<(usize, [usize; DRAWS])>,
    /// Increase of the log density ratio from the original pairs to the drawn pairs, summed over rows.
    gain_nats: f64,
}

impl RepairedPairs {
    /// Permutes the partners of the given rows. A Metropolis sampler starts from the original pairs and draws
    /// each permutation with probability proportional to the product of `exp T` over its pairs.
    ///
    /// # Shapes
    /// `scores` is `(rows, rows)`, row-major, and contains `T` of every `x` with every `y` of the rows.
    pub(crate) fn add(&mut self, rows: &[usize], scores: &[f32], generator: &mut impl Rng) {
        let n = rows.len();
        let start = self.partners.len();
        self.partners.extend(rows.iter().map(|row| (*row, [*row; DRAWS])));
        for draw in 0..DRAWS {
            let mut partner: Vec<usize> = (0..n).collect();
            for _ in 0..SWEEPS * n {
                let (i, j) = (generator.random_range(0..n), generator.random_range(0..n));
                let (a, b) = (partner[i], partner[j]);
                let gain = scores[i * n + b] + scores[j * n + a] - scores[i * n + a] - scores[j * n + b];
                if gain >= 0.0 || generator.random::<f32>() < gain.exp() {
                    partner.swap(i, j);
                }
            }
            for (i, j) in partner.into_iter().enumerate() {
                self.partners[start + i].1[draw] = rows[j];
                self.gain_nats += f64::from(scores[i * n + j] - scores[i * n + i]) / DRAWS as f64;
            }
        }
    }

    /// Adds the re-paired rows of `other`. No row may occur in both sets.
    pub(crate) fn extend(&mut self, other: Self) {
        self.partners.extend(other.partners);
        self.gain_nats += other.gain_nats;
    }

    /// Mean increase of the log density ratio from the original pairs to the drawn pairs.
    pub(crate) fn mean_gain_nats(&self) -> f64 {
        self.gain_nats / self.partners.len().max(1) as f64
    }

    /// The nearest-neighbour estimate on the samples minus the estimate on the drawn pairs. Both estimates
    /// use all columns.
    ///
    /// # Shapes
    /// `scores` is `(n, d)`; its first `dx` columns are `x`. Rows without draws keep their own partner.
    pub(crate) fn residual(&self, scores: &Array2<f64>, dx: usize) -> Residual {
        let (x, y) = (scores.slice(s![.., ..dx]), scores.slice(s![.., dx..]));
        let drawn = (0..DRAWS).map(|draw| {
            let mut order: Vec<usize> = (0..scores.nrows()).collect();
            self.partners.iter().for_each(|(row, partners)| order[*row] = partners[draw]);
            (x.to_owned(), y.select(Axis(0), &order))
        });
        let drawn: Vec<Sides> = drawn.collect();
        neighbour_residual::residual(&sides(scores, dx), &drawn.iter().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::stream;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn what_is_drawn_has_the_dependence_the_ratios_tell_of() {
        // Re-pair with a normal copula of correlation r, starting from independent pairs and from pairs that
        // already follow the copula.
        let (n, r) = (1000, 0.8_f64);
        let mut generator = stream("test", "torn", 1);
        let mut normal = || -> f64 { StandardNormal.sample(&mut generator) };
        let x: Vec<f64> = (0..n).map(|_| normal()).collect();
        for own in [0.0_f64, 0.8] {
            let noise = (1.0 - own * own).sqrt();
            let y: Vec<f64> = x.iter().map(|x| own * x + noise * normal()).collect();
            let rows: Vec<usize> = (0..n).collect();
            let ratio = |x: f64, y: f64| {
                -0.5 * (1.0 - r * r).ln()
                    - (r * r * (x * x + y * y) - 2.0 * r * x * y) / (2.0 * (1.0 - r * r))
            };
            let scores: Vec<f32> = x.iter().flat_map(|x| y.iter().map(|y| ratio(*x, *y) as f32)).collect();
            let mut repaired = RepairedPairs::default();
            repaired.add(&rows, &scores, &mut stream("test", "swaps", 1));
            for draw in 0..DRAWS {
                let mut seen = vec![false; n];
                let mut product = 0.0;
                for (row, partners) in &repaired.partners {
                    assert!(!std::mem::replace(&mut seen[partners[draw]], true), "a partner twice");
                    product += x[*row] * y[partners[draw]] / n as f64;
                }
                assert!((product - r).abs() < 0.08, "{own}: {product}");
            }
            let before = (0..n).map(|i| ratio(x[i], y[i])).sum::<f64>() / n as f64;
            assert!((before + repaired.mean_gain_nats() + 0.5 * (1.0 - r * r).ln()).abs() < 0.08, "{own}");
        }
    }
}
