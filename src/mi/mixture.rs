//! Joint densities as mixtures of normal distributions, whose marginals and so whose log density ratios are known.
//!
//! Expectation-maximisation with covariances shrunk towards what the components have in common, started from greedy k-means++. A log density of
//! a component is linear in the products of coordinates, so one product of matrices serves all components, and one more gathers their moments.
//!
//! # References
//! Dempster, Laird, Rubin 1977; Arthur & Vassilvitskii 2007 (k-means++); Fraley & Raftery 2007 (prior of covariances).

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use rand::Rng;
use rand::distr::weighted::WeightedIndex;
use rand_distr::{Distribution, StandardNormal};

use super::linear::{cholesky, invert_lower, log_determinant};
use crate::model::kernels;
use crate::seed::stream;

/// Steps of expectation-maximisation at most, and the gain in mean log likelihood that ends them.
const STEPS: usize = 80;
const LEAST_GAIN: f64 = 2e-4;
/// Variance below which no component shrinks, of coordinates of variance 1.
const FLOOR: f64 = 1e-7;

/// How alike the covariances of the components are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Sharing {
    /// Each its own, but for a prior worth this many rows for each column.
    Rows(f64),
    /// One for all.
    All,
}

/// A mixture of normal distributions.
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    weights: Vec<f64>,
    /// `(K, d)`
    means: Array2<f64>,
    covariances: Vec<Array2<f64>>,
}

impl Mixture {
    /// The best of a few steps of EM from a seeded start, `None` where a component collapses.
    ///
    /// # Shapes
    /// `z` is `(n, d)`.
    pub(super) fn fit(z: &Array2<f64>, k: usize, sharing: Sharing, seed: u64) -> Option<Self> {
        let products = products(z);
        let transposed = products.t().as_standard_layout().to_owned();
        let labels = k_means(z, k, seed);
        let mut shares = Array2::zeros((z.nrows(), k));
        labels.iter().enumerate().for_each(|(row, label)| shares[[row, *label]] = 1.0);
        let mut before = f64::NEG_INFINITY;
        let mut mixture = Self::from_shares(&transposed, &shares, z.ncols(), sharing)?;
        for _ in 0..STEPS {
            shares = product_t(&products, &mixture.coefficients(0..z.ncols())?);
            let log_likelihood = normalise(&mut shares);
            if !log_likelihood.is_finite() {
                return None;
            }
            if log_likelihood - before < LEAST_GAIN {
                break;
            }
            before = log_likelihood;
            mixture = Self::from_shares(&transposed, &shares, z.ncols(), sharing)?;
        }
        Some(mixture)
    }

    /// The mixture of greatest likelihood given how much of each row belongs to each component.
    fn from_shares(transposed: &Array2<f64>, shares: &Array2<f64>, d: usize, sharing: Sharing) -> Option<Self> {
        let n = shares.nrows() as f64;
        let moments = product_t(&shares.t().as_standard_layout().to_owned(), transposed);
        let k = moments.nrows();
        let mut means = Array2::zeros((k, d));
        let mut scatters = Vec::with_capacity(k);
        let mut pooled = Array2::<f64>::zeros((d, d));
        let mut counts = Vec::with_capacity(k);
        for (component, moments) in moments.rows().into_iter().enumerate() {
            let count = moments[0].max(1e-9);
            for i in 0..d {
                means[[component, i]] = moments[1 + i] / count;
            }
            let mut scatter = Array2::zeros((d, d));
            let mut at = 1 + d;
            for i in 0..d {
                for j in 0..=i {
                    let value = moments[at] - count * means[[component, i]] * means[[component, j]];
                    scatter[[i, j]] = value;
                    scatter[[j, i]] = value;
                    at += 1;
                }
            }
            pooled += &scatter;
            scatters.push(scatter);
            counts.push(count);
        }
        pooled /= n;
        let covariances = scatters.into_iter().zip(&counts).map(|(scatter, count)| {
            let mut covariance = match sharing {
                Sharing::All => pooled.clone(),
                Sharing::Rows(rows) => {
                    let prior = rows * (d + 1) as f64;
                    // The prior is small and round, so that it takes hold only where a component has next to nothing.
                    let mut target = Array2::zeros((d, d));
                    target.diag_mut().assign(&(&pooled.diag() * 0.2));
                    (scatter + target * prior) / (count + prior)
                }
            };
            covariance.diag_mut().mapv_inplace(|value| value + FLOOR);
            covariance
        });
        let covariances = covariances.collect();
        let total: f64 = counts.iter().sum();
        let weights = counts.iter().map(|count| count / total).collect();
        Some(Self { weights, means, covariances })
    }

    /// For each component the coefficients of the products of some coordinates in its log density, weight included.
    fn coefficients(&self, range: std::ops::Range<usize>) -> Option<Array2<f64>> {
        let d = range.len();
        let mut out = Array2::zeros((self.weights.len(), 1 + d + d * (d + 1) / 2));
        for (k, covariance) in self.covariances.iter().enumerate() {
            let factor = cholesky(&covariance.slice(s![range.clone(), range.clone()]).to_owned(), 0.0)?;
            let inverse = invert_lower(&factor);
            let precision = inverse.t().dot(&inverse);
            let mean = self.means.slice(s![k, range.clone()]);
            let linear = precision.dot(&mean);
            let constant = self.weights[k].max(1e-300).ln()
                - 0.5 * (d as f64 * std::f64::consts::TAU.ln() + log_determinant(&factor) + mean.dot(&linear));
            let mut row = out.row_mut(k);
            row[0] = constant;
            row.slice_mut(s![1..=d]).assign(&linear);
            let mut at = 1 + d;
            for i in 0..d {
                for j in 0..=i {
                    row[at] = if i == j { -0.5 * precision[[i, i]] } else { -precision[[i, j]] };
                    at += 1;
                }
            }
        }
        Some(out)
    }

    /// Log density of some coordinates at rows whose products are given.
    fn log_density(&self, products: &Array2<f64>, range: std::ops::Range<usize>) -> Option<Vec<f64>> {
        let mut logs = product_t(products, &self.coefficients(range)?);
        Some(logs.rows_mut().into_iter().map(|mut row| log_sum_exp(row.as_slice_mut().unwrap_or_default())).collect())
    }

    /// Log density of whole rows.
    pub(super) fn log_densities(&self, z: &Array2<f64>) -> Option<Vec<f64>> {
        self.log_density(&products(z), 0..z.ncols())
    }

    /// `log p(x, y) - log p(x) - log p(y)` of each row, the first `dx` coordinates being `x`.
    pub(super) fn log_ratios(&self, z: &Array2<f64>, dx: usize) -> Option<Vec<f64>> {
        let d = z.ncols();
        let side = |range: std::ops::Range<usize>| {
            self.log_density(&products(&z.slice(s![.., range.clone()]).to_owned()), range)
        };
        let (joint, x, y) = (self.log_densities(z)?, side(0..dx)?, side(dx..d)?);
        Some(joint.iter().zip(&x).zip(&y).map(|((joint, x), y)| joint - x - y).collect())
    }

    /// `n` rows of the mixture.
    pub(super) fn sample(&self, n: usize, generator: &mut impl Rng) -> Option<Array2<f64>> {
        let d = self.means.ncols();
        let factors =
            self.covariances.iter().map(|covariance| cholesky(covariance, 0.0)).collect::<Option<Vec<_>>>()?;
        let choose = WeightedIndex::new(&self.weights).ok()?;
        let mut out = Array2::zeros((n, d));
        for mut row in out.rows_mut() {
            let k = choose.sample(generator);
            let noise = Array1::from_shape_simple_fn(d, || -> f64 { StandardNormal.sample(generator) });
            row.assign(&(factors[k].dot(&noise) + self.means.row(k)));
        }
        Some(out)
    }
}

/// `1`, the coordinates, and their products `z_i z_j` for `j <= i`, of each row.
fn products(z: &Array2<f64>) -> Array2<f64> {
    let (n, d) = z.dim();
    let width = 1 + d + d * (d + 1) / 2;
    let mut out = Vec::with_capacity(n * width);
    for row in z.rows() {
        out.push(1.0);
        out.extend(row.iter());
        for i in 0..d {
            let own = row[i];
            out.extend(row.iter().take(i + 1).map(|other| own * other));
        }
    }
    Array2::from_shape_vec((n, width), out).unwrap_or_default()
}

/// `a b^T`, both in standard layout.
fn product_t(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let (m, n, k) = (a.nrows(), b.nrows(), a.ncols());
    let mut out = Array2::zeros((m, n));
    if let (Some(a), Some(b), Some(c)) = (a.as_slice(), b.as_slice(), out.as_slice_mut()) {
        kernels::matmul_t_f64((m, n, k), k, a, b, c);
    }
    out
}

/// Log densities of components to shares of rows; gives the mean log likelihood.
fn normalise(logs: &mut Array2<f64>) -> f64 {
    let n = logs.nrows() as f64;
    let sums = logs.rows_mut().into_iter().map(|mut row| {
        let values = row.as_slice_mut().unwrap_or_default();
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for value in values.iter_mut() {
            // What is below e^-40 of the largest adds nothing.
            let below = *value - most;
            *value = if below > -40.0 { below.exp() } else { 0.0 };
            sum += *value;
        }
        values.iter_mut().for_each(|value| *value /= sum);
        most + sum.ln()
    });
    sums.sum::<f64>() / n
}

fn log_sum_exp(values: &mut [f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let terms = values.iter().filter(|value| **value - most > -40.0).map(|value| (value - most).exp());
    most + terms.sum::<f64>().ln()
}

/// The nearest of `k` centres of each row, after a few steps of Lloyd from a greedy seeded start.
fn k_means(z: &Array2<f64>, k: usize, seed: u64) -> Vec<usize> {
    const CANDIDATES: usize = 4;
    const LLOYD: usize = 8;
    let (n, d) = z.dim();
    let mut generator = stream("mi/mixture", "k-means", seed);
    let squared = |a: ArrayView1<'_, f64>, b: ArrayView1<'_, f64>| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    let mut centres = Array2::zeros((k, d));
    centres.row_mut(0).assign(&z.row(generator.random_range(0..n)));
    let mut nearest: Vec<f64> = z.rows().into_iter().map(|row| squared(row, centres.row(0))).collect();
    for at in 1..k {
        let candidates = (0..CANDIDATES).map(|_| match WeightedIndex::new(&nearest) {
            Ok(by_distance) => by_distance.sample(&mut generator),
            Err(_) => 0,
        });
        let trials = candidates.map(|row| {
            let distances = z.rows().into_iter().zip(&nearest).map(|(other, own)| own.min(squared(other, z.row(row))));
            let distances: Vec<f64> = distances.collect();
            (distances.iter().sum::<f64>(), row, distances)
        });
        if let Some((_, row, distances)) = trials.min_by(|a, b| a.0.total_cmp(&b.0)) {
            centres.row_mut(at).assign(&z.row(row));
            nearest = distances;
        }
    }
    let mut labels = vec![0; n];
    for _ in 0..LLOYD {
        let norms: Vec<f64> = centres.rows().into_iter().map(|row| 0.5 * row.dot(&row)).collect();
        let inner = z.dot(&centres.t());
        for (label, row) in labels.iter_mut().zip(inner.rows()) {
            let score = |c: &usize| row[*c] - norms[*c];
            *label = (0..k).max_by(|a, b| score(a).total_cmp(&score(b))).unwrap_or_default();
        }
        let mut counts = vec![0.0; k];
        let mut sums = Array2::<f64>::zeros((k, d));
        for (label, row) in labels.iter().zip(z.axis_iter(Axis(0))) {
            counts[*label] += 1.0;
            sums.row_mut(*label).scaled_add(1.0, &row);
        }
        for (c, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            centres.row_mut(c).assign(&(&sums.row(c) / *count));
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn two() -> Mixture {
        Mixture {
            weights: vec![0.25, 0.75],
            means: array![[-1.0, 0.5], [2.0, 1.0]],
            covariances: vec![array![[1.0, 0.3], [0.3, 0.5]], array![[0.4, -0.2], [-0.2, 0.9]]],
        }
    }

    #[test]
    fn densities_are_those_of_the_definition() {
        let mixture = two();
        let normal = |x: f64, mean: f64, variance: f64| {
            (-0.5 * (x - mean).powi(2) / variance).exp() / (std::f64::consts::TAU * variance).sqrt()
        };
        let z = array![[0.3, 0.7], [-2.0, 4.0]];
        let joint = mixture.log_densities(&z).expect("positive");
        let ratios = mixture.log_ratios(&z, 1).expect("positive");
        for row in 0..2 {
            let (x, y) = (z[[row, 0]], z[[row, 1]]);
            let (mut density, mut px, mut py) = (0.0, 0.0, 0.0);
            for k in 0..2 {
                let (m, c, w) = (mixture.means.row(k), &mixture.covariances[k], mixture.weights[k]);
                // p(x) p(y | x).
                let slope = c[[0, 1]] / c[[0, 0]];
                let given = normal(y, m[1] + slope * (x - m[0]), c[[1, 1]] - slope * c[[0, 1]]);
                density += w * normal(x, m[0], c[[0, 0]]) * given;
                px += w * normal(x, m[0], c[[0, 0]]);
                py += w * normal(y, m[1], c[[1, 1]]);
            }
            assert!((joint[row] - density.ln()).abs() < 1e-12);
            assert!((ratios[row] - (density / px / py).ln()).abs() < 1e-12);
        }
    }

    #[test]
    fn a_mixture_is_found_again_from_its_samples() {
        let truth = two();
        let z = truth.sample(20_000, &mut stream("test", "mixture", 1)).expect("positive");
        let found = Mixture::fit(&z, 2, Sharing::Rows(0.1), 3).expect("a fit");
        let first = usize::from(found.means[[0, 0]] > 0.0);
        // The fit stops where a step gains next to nothing, which is before every parameter has settled: it is the density that must be right.
        let fresh = truth.sample(20_000, &mut stream("test", "fresh", 1)).expect("positive");
        let mean = |mixture: &Mixture| mixture.log_densities(&fresh).expect("positive").iter().sum::<f64>() / 20_000.0;
        let divergence_nats = mean(&truth) - mean(&found);
        assert!(divergence_nats.abs() < 0.003, "{divergence_nats}");
        assert!((found.weights[first] - 0.25).abs() < 0.02, "{found:?}");
        assert!((&found.means.row(first) - &truth.means.row(0)).iter().all(|e| e.abs() < 0.1), "{found:?}");
        assert!((&found.covariances[first] - &truth.covariances[0]).iter().all(|e| e.abs() < 0.1), "{found:?}");
    }
}
