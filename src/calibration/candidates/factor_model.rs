//! A factor model of the columns of a table, learnt from the cells that are known: `z_j = mean_j + loadings_j
//! . f + e_j` with `f ~ N(0, I)` and `e_j ~ N(0, noise_j)`, by expectation maximisation (Rubin and Thayer
//! 1982). A missing cell is imputed with its conditional mean given the known cells.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Maximum number of factors.
pub(crate) const MOST_FACTORS: usize = 3;
/// Maximum number of factors, plus one for the constant.
const WIDTH: usize = MOST_FACTORS + 1;
/// Maximum number of rounds of expectation maximisation.
const MOST_ROUNDS: usize = 30;
/// Maximum number of rounds if the search starts from the model of a similar table.
const FEW_ROUNDS: usize = 6;
/// Maximum cost of all rounds, in multiplications.
const MOST_WORK: usize = 4_000_000;
/// The rounds end when no loading changes by more than this.
const TOLERANCE: f64 = 1e-3;
/// Prior noise variance of a column, relative to the column's variance. The prior has the weight of one row.
const PRIOR_NOISE: f64 = 0.1;
const LEAST_NOISE: f64 = 1e-3;

type Small = [[f64; WIDTH]; WIDTH];

/// Loadings and noise of `d` standardised columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorModel {
    /// Mean of each column.
    pub mean: Vec<f64>,
    /// Loadings of each column, one for each factor.
    pub loadings: Vec<Vec<f64>>,
    /// Unexplained variance of each column.
    pub noise: Vec<f64>,
}

/// Posterior of the factors of a row, given its known cells.
#[derive(Debug, Clone)]
pub(crate) struct Factors {
    mean: [f64; WIDTH],
    covariance: Small,
}

impl FactorModel {
    /// A model of `d` columns without factors.
    pub(super) fn without_factors(d: usize) -> Self {
        Self { mean: vec![0.0; d], loadings: vec![vec![]; d], noise: vec![1.0; d] }
    }

    /// Number of factors that `n` rows of `d` columns can support.
    pub(super) fn rank(n: usize, d: usize) -> usize {
        (n / 12).clamp(1, MOST_FACTORS).min(d.saturating_sub(1))
    }

    /// Learns `k` factors of standardised columns, `(n, d)` with NaN in missing cells, from weighted rows.
    /// The search starts from `near`, if given: the model of a slightly larger table that contains these
    /// rows.
    pub(super) fn fit(z: &Array2<f64>, weights: &[f64], k: usize, near: Option<&Self>) -> Self {
        let (n, d) = z.dim();
        let mut model = Self::without_factors(d);
        if k == 0 || n == 0 {
            return model;
        }
        let near = near.filter(|near| near.loadings.len() == d && near.loadings[0].len() == k);
        let most = if near.is_some() { FEW_ROUNDS } else { MOST_ROUNDS };
        model = near.cloned().unwrap_or_else(|| Self {
            loadings: first_directions(z, k.min(MOST_FACTORS)),
            noise: vec![0.5; d],
            ..model
        });
        let rounds = (MOST_WORK / (n * d * WIDTH * WIDTH).max(1)).clamp(5, most);
        for _ in 0..rounds {
            let factors: Vec<Factors> =
                z.outer_iter().map(|row| model.factors(row.iter().copied())).collect();
            let moved = model.maximise(z, weights, &factors);
            if moved < TOLERANCE {
                break;
            }
        }
        model
    }

    /// The posterior of the factors given the known (finite) cells of a row.
    pub(crate) fn factors(&self, cells: impl Iterator<Item = f64>) -> Factors {
        let k = self.loadings.first().map_or(0, Vec::len);
        let (mut precision, mut pull): (Small, [f64; WIDTH]) = Default::default();
        for (a, row) in precision.iter_mut().enumerate() {
            row[a] = 1.0;
        }
        for (j, value) in cells.enumerate().filter(|(_, value)| value.is_finite()) {
            let (loadings, inverse) = (&self.loadings[j], 1.0 / self.noise[j]);
            for a in 0..k {
                pull[a] += loadings[a] * inverse * (value - self.mean[j]);
                for b in 0..=a {
                    precision[a][b] += loadings[a] * inverse * loadings[b];
                }
            }
        }
        let covariance = invert(&mut precision, k);
        let mut mean = [0.0; WIDTH];
        for a in 0..k {
            mean[a] = (0..k).map(|b| covariance[a][b] * pull[b]).sum();
        }
        Factors { mean, covariance }
    }

    /// Expectations of the factors.
    pub(crate) fn means(&self, factors: &Factors) -> Vec<f64> {
        factors.mean[..self.loadings.first().map_or(0, Vec::len)].to_vec()
    }

    /// Expectation of a column.
    pub(crate) fn expected(&self, factors: &Factors, column: usize) -> f64 {
        let along: f64 = self.loadings[column].iter().zip(&factors.mean).map(|(l, f)| l * f).sum();
        self.mean[column] + along
    }

    /// One maximisation step: computes means, loadings and noise from the factors. Returns the largest change
    /// of a loading.
    fn maximise(&mut self, z: &Array2<f64>, weights: &[f64], factors: &[Factors]) -> f64 {
        let k = self.loadings[0].len();
        let mut moved = 0.0f64;
        for (j, column) in z.columns().into_iter().enumerate() {
            let (mut gram, mut moment): (Small, [f64; WIDTH]) = Default::default();
            let (mut square, mut total) = (0.0, 0.0);
            for ((value, weight), row) in column.iter().zip(weights).zip(factors) {
                if !value.is_finite() {
                    continue;
                }
                let at = |a: usize| if a < k { row.mean[a] } else { 1.0 };
                for a in 0..=k {
                    moment[a] += weight * value * at(a);
                    for (b, cell) in gram[a].iter_mut().enumerate().take(a + 1) {
                        let covariance = if a < k && b < k { row.covariance[a][b] } else { 0.0 };
                        *cell += weight * (at(a) * at(b) + covariance);
                    }
                }
                (square, total) = (square + weight * value * value, total + weight);
            }
            if total <= 0.0 {
                continue;
            }
            // A standard normal prior on each loading prevents extreme loadings of columns with few known
            // cells.
            for (a, row) in gram.iter_mut().enumerate() {
                row[a] += if a < k { self.noise[j] } else { 1e-9 };
            }
            let inverse = invert(&mut gram, k + 1);
            let solved: Vec<f64> =
                (0..=k).map(|a| (0..=k).map(|b| inverse[a][b] * moment[b]).sum()).collect();
            let explained: f64 = solved.iter().zip(&moment).map(|(c, m)| c * m).sum();
            self.noise[j] = ((square - explained + PRIOR_NOISE) / (total + 1.0)).max(LEAST_NOISE);
            for (old, new) in self.loadings[j].iter_mut().zip(&solved) {
                moved = moved.max((*old - new).abs());
                *old = *new;
            }
            self.mean[j] = solved[k];
        }
        moved
    }
}

/// Inverse of a positive definite matrix, given as the lower triangle of the first `k` rows. The upper
/// triangle is filled in. Gauss-Jordan elimination needs no pivoting for such a matrix.
fn invert(matrix: &mut Small, k: usize) -> Small {
    let mut inverse: Small = Default::default();
    for a in 0..k {
        inverse[a][a] = 1.0;
        let row = matrix[a];
        for (above, value) in matrix.iter_mut().zip(row).take(a) {
            above[a] = value;
        }
    }
    for a in 0..k {
        let pivot = matrix[a][a].max(f64::MIN_POSITIVE);
        for b in 0..k {
            matrix[a][b] /= pivot;
            inverse[a][b] /= pivot;
        }
        for c in (0..k).filter(|c| *c != a) {
            let factor = matrix[c][a];
            for b in 0..k {
                matrix[c][b] -= factor * matrix[a][b];
                inverse[c][b] -= factor * inverse[a][b];
            }
        }
    }
    inverse
}

/// The first `k` right singular directions of `z`, with zeros in missing cells, by orthogonal iteration. Each
/// direction is multiplied by the standard deviation of its scores.
fn first_directions(z: &Array2<f64>, k: usize) -> Vec<Vec<f64>> {
    const ROUNDS: usize = 15;
    let known = z.mapv(|value| if value.is_finite() { value } else { 0.0 });
    let (n, d) = known.dim();
    // The start directions have different sign patterns, so no likely direction is orthogonal to all of them.
    let mut v = Array2::from_shape_fn((d, k), |(j, a)| ((j * (a + 1)) as f64 * 0.7 + a as f64).cos() + 0.1);
    orthonormalise(&mut v);
    for _ in 0..ROUNDS {
        v = known.t().dot(&known.dot(&v));
        orthonormalise(&mut v);
    }
    let scores = known.dot(&v);
    let spread: Vec<f64> =
        scores.columns().into_iter().map(|column| (column.dot(&column) / n as f64).sqrt()).collect();
    v.outer_iter().map(|row| row.iter().zip(&spread).map(|(value, s)| value * s).collect()).collect()
}

fn orthonormalise(v: &mut Array2<f64>) {
    for a in 0..v.ncols() {
        for b in 0..a {
            let (before, mut after) = v.view_mut().split_at(ndarray::Axis(1), a);
            let along = before.column(b).dot(&after.column(0));
            after.column_mut(0).scaled_add(-along, &before.column(b));
        }
        let length = v.column(a).dot(&v.column(a)).sqrt();
        let scale = if length > 1e-12 { 1.0 / length } else { 0.0 };
        v.column_mut(a).mapv_inplace(|value| value * scale);
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::RngCore;

    use super::*;
    use crate::seed::stream;

    /// Columns that are sums of two factors and a little noise: the complete table, then the same table
    /// without a share `missing` of its cells.
    fn table(n: usize, missing: f64) -> (Array2<f64>, Array2<f64>) {
        let mut random = stream("calibration", "factors", 1);
        let mut uniform = || random.next_u64() as f64 / u64::MAX as f64;
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let f = Array2::from_shape_simple_fn((n, 2), &mut normal);
        let loadings = Array2::from_shape_simple_fn((2, 8), &mut normal);
        let noise = Array2::from_shape_simple_fn((n, 8), &mut normal);
        let mut whole = f.dot(&loadings) + noise * 0.1;
        for mut column in whole.columns_mut() {
            let (mean, sd) = (column.mean().expect("rows"), column.std(0.0));
            column.mapv_inplace(|value| (value - mean) / sd);
        }
        let mut random = stream("calibration", "missing", 1);
        let holes =
            whole.mapv(
                |value| {
                    if (random.next_u64() as f64 / u64::MAX as f64) < missing { f64::NAN } else { value }
                },
            );
        (whole, holes)
    }

    #[test]
    fn missing_cells_of_a_low_rank_table_are_recovered() {
        let (whole, holes) = table(80, 0.4);
        let model = FactorModel::fit(&holes, &[1.0; 80], 2, None);
        let (mut error, mut n) = (0.0, 0);
        for (i, row) in holes.outer_iter().enumerate() {
            let factors = model.factors(row.iter().copied());
            for j in (0..8).filter(|j| !row[*j].is_finite()) {
                error += (model.expected(&factors, j) - whole[[i, j]]).abs();
                n += 1;
            }
        }
        // The columns have standard deviation 1, so imputation with the column means would have an error of
        // about 0.8.
        assert!(error / f64::from(n) < 0.2, "{}", error / f64::from(n));
    }

    #[test]
    fn a_row_of_which_nothing_is_known_is_the_mean() {
        let (_, holes) = table(60, 0.2);
        let model = FactorModel::fit(&holes, &[1.0; 60], 2, None);
        let factors = model.factors(std::iter::repeat_n(f64::NAN, 8));
        assert!((0..8).all(|j| (model.expected(&factors, j) - model.mean[j]).abs() < 1e-12));
    }
}
