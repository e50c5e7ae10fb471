//! Models joint densities as mixtures of normal distributions. Their marginals, and therefore their log
//! density ratios, have a closed form.
//!
//! Expectation-maximisation starts from greedy k-means++; a small diagonal prior regularises the covariances.
//! The log density of a component is linear in the products of coordinates. So one matrix product evaluates
//! all components, and a second one computes the moments of all components.
//!
//! # References
//! Dempster, Laird, Rubin 1977; Arthur & Vassilvitskii 2007 (k-means++); Fraley & Raftery 2007 (prior of
//! covariances).

use std::ops::Range;

use super::k_means::k_means;
use crate::numeric::kernels;
use crate::numeric::linear::{cholesky, invert_lower, log_determinant};
use ndarray::{Array1, Array2, ArrayView2, s};

/// Maximum number of expectation-maximisation steps.
const STEPS: usize = 80;
/// The steps end when the mean log likelihood grows by less than this.
const LEAST_GAIN: f64 = 2e-4;
/// Added to the variances of each component, so that no component collapses. Coordinates have variance 1.
const FLOOR: f64 = 1e-7;

/// Structure of the covariances of the components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum CovarianceStructure {
    /// A covariance for each component. The prior has the weight of this number of rows for each column.
    Rows(f64),
    /// One covariance shared by all components.
    All,
}

/// A mixture of normal distributions.
#[derive(Debug, Clone)]
pub(crate) struct Mixture {
    weights: Vec<f64>,
    /// The means of the components, `(K, d)`.
    means: Array2<f64>,
    /// One covariance for each component, or a single shared one.
    covariances: Vec<Array2<f64>>,
    is_shared: bool,
}

impl Mixture {
    /// Fits `k` components by expectation-maximisation from a seeded start. `None` if a component collapses.
    ///
    /// # Shapes
    /// `z` is `(n, d)`.
    pub(crate) fn fit(z: &Array2<f64>, k: usize, sharing: CovarianceStructure, seed: u64) -> Option<Self> {
        let features = match sharing {
            CovarianceStructure::All => z.clone(),
            CovarianceStructure::Rows(_) => products(z),
        };
        let sample =
            Sample { features: features.t().as_standard_layout().to_owned(), second: z.t().dot(z), sharing };
        let labels = k_means(z, k, seed);
        let mut shares = Array2::zeros((z.nrows(), k));
        labels.iter().enumerate().for_each(|(row, label)| shares[[row, *label]] = 1.0);
        let mut before = f64::NEG_INFINITY;
        let mut mixture = Self::from_shares(&sample, &shares);
        for _ in 0..STEPS {
            shares = mixture.log_components(z.view(), &features, 0..z.ncols())?;
            let log_likelihood = normalise(&mut shares);
            if !log_likelihood.is_finite() {
                return None;
            }
            if log_likelihood - before < LEAST_GAIN {
                break;
            }
            before = log_likelihood;
            mixture = Self::from_shares(&sample, &shares);
        }
        Some(mixture)
    }

    /// The maximum-likelihood mixture, given the responsibilities `(n, K)`.
    fn from_shares(sample: &Sample, shares: &Array2<f64>) -> Self {
        let (n, d) = (shares.nrows() as f64, sample.second.nrows());
        let transposed = shares.t().to_owned();
        let counts: Vec<f64> = transposed.rows().into_iter().map(|row| row.sum().max(1e-9)).collect();
        let moments = product_t(&transposed, &sample.features);
        // Rows of products begin with a 1, but rows of plain coordinates do not.
        let first = usize::from(sample.sharing != CovarianceStructure::All);
        let mut means = moments.slice(s![.., first..first + d]).to_owned();
        means.rows_mut().into_iter().zip(&counts).for_each(|(mut mean, count)| mean /= *count);
        let mut between = means.clone();
        between.rows_mut().into_iter().zip(&counts).for_each(|(mut row, count)| row *= *count);
        let mut pooled = (&sample.second - &between.t().dot(&means)) / n;
        let covariances = match sample.sharing {
            CovarianceStructure::All => {
                pooled.diag_mut().mapv_inplace(|value| value + FLOOR);
                vec![pooled]
            }
            CovarianceStructure::Rows(rows) => {
                let prior = rows * (d + 1) as f64;
                let of = |(component, count): (usize, &f64)| {
                    let mean = means.row(component);
                    let mut scatter = Array2::zeros((d, d));
                    let mut at = 1 + d;
                    for i in 0..d {
                        for j in 0..=i {
                            let value = moments[[component, at]] - count * mean[i] * mean[j];
                            scatter[[i, j]] = value;
                            scatter[[j, i]] = value;
                            at += 1;
                        }
                        // The prior is small and diagonal, so it matters only for components with very few
                        // rows.
                        scatter[[i, i]] += prior * 0.2 * pooled[[i, i]];
                    }
                    scatter /= count + prior;
                    scatter.diag_mut().mapv_inplace(|value| value + FLOOR);
                    scatter
                };
                counts.iter().enumerate().map(of).collect()
            }
        };
        let total: f64 = counts.iter().sum();
        let weights = counts.iter().map(|count| count / total).collect();
        Self { weights, means, covariances, is_shared: sample.sharing == CovarianceStructure::All }
    }

    /// The marginal of each component over a range of coordinates.
    pub(crate) fn marginals(&self, range: Range<usize>) -> Option<Vec<Marginal>> {
        let of_covariance = |covariance: &Array2<f64>| {
            let factor = cholesky(&covariance.slice(s![range.clone(), range.clone()]).to_owned(), 0.0)?;
            let inverse = invert_lower(&factor);
            Some((inverse.t().dot(&inverse), log_determinant(&factor)))
        };
        let precisions = self.covariances.iter().map(of_covariance).collect::<Option<Vec<_>>>()?;
        let component = |(k, weight): (usize, &f64)| {
            let (precision, log_determinant) = &precisions[k.min(precisions.len() - 1)];
            let mean = self.means.slice(s![k, range.clone()]).to_owned();
            let linear = precision.dot(&mean);
            let size = range.len() as f64 * std::f64::consts::TAU.ln() + log_determinant;
            let log_weight = weight.max(1e-300).ln() - 0.5 * size;
            Marginal {
                precision: precision.clone(),
                log_at_zero: log_weight - 0.5 * mean.dot(&linear),
                log_weight,
                linear,
                mean,
            }
        };
        Some(self.weights.iter().enumerate().map(component).collect())
    }

    /// The log density of each component at each row, including the log weight, `(n, K)`.
    ///
    /// # Shapes
    /// `z` is `(n, range.len())`; `features` are the products of its coordinates, or `z` itself if the
    /// covariance is shared.
    fn log_components(
        &self,
        z: ArrayView2<'_, f64>,
        features: &Array2<f64>,
        range: Range<usize>,
    ) -> Option<Array2<f64>> {
        let (d, marginals) = (range.len(), self.marginals(range)?);
        if self.is_shared {
            // The quadratic part is the same for all components.
            let whitened = z.dot(&marginals.first()?.precision);
            let mut linear = Array2::zeros((marginals.len(), d));
            linear.rows_mut().into_iter().zip(&marginals).for_each(|(mut row, own)| row.assign(&own.linear));
            let mut out = product_t(features, &linear);
            for ((mut row, a), b) in out.rows_mut().into_iter().zip(whitened.rows()).zip(z.rows()) {
                let quadratic = -0.5 * a.dot(&b);
                row.iter_mut().zip(&marginals).for_each(|(value, own)| *value += own.log_at_zero + quadratic);
            }
            return Some(out);
        }
        let mut coefficients = Array2::zeros((marginals.len(), features.ncols()));
        for (mut row, own) in coefficients.rows_mut().into_iter().zip(&marginals) {
            row[0] = own.log_at_zero;
            row.slice_mut(s![1..=d]).assign(&own.linear);
            let mut at = 1 + d;
            for i in 0..d {
                for j in 0..=i {
                    row[at] = if i == j { -0.5 * own.precision[[i, i]] } else { -own.precision[[i, j]] };
                    at += 1;
                }
            }
        }
        Some(product_t(features, &coefficients))
    }

    /// The responsibility of each component for each row, `(n, K)`.
    pub(crate) fn shares(&self, z: &Array2<f64>) -> Option<Array2<f64>> {
        let features = if self.is_shared { z.clone() } else { products(z) };
        let mut shares = self.log_components(z.view(), &features, 0..z.ncols())?;
        normalise(&mut shares).is_finite().then_some(shares)
    }

    /// The weight of each component.
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Log density of each row over a range of coordinates.
    ///
    /// # Shapes
    /// `z` is `(n, d)`; the method selects the columns of `range`.
    pub(crate) fn log_density(&self, z: &Array2<f64>, range: Range<usize>) -> Option<Vec<f64>> {
        let own = z.slice(s![.., range.clone()]).to_owned();
        let features = if self.is_shared { own.clone() } else { products(&own) };
        let mut logs = self.log_components(own.view(), &features, range)?;
        Some(
            logs.rows_mut()
                .into_iter()
                .map(|mut row| log_sum_exp(row.as_slice_mut().unwrap_or_default()))
                .collect(),
        )
    }

    /// Log density of whole rows.
    pub(crate) fn log_densities(&self, z: &Array2<f64>) -> Option<Vec<f64>> {
        self.log_density(z, 0..z.ncols())
    }
}

/// The data that a mixture is fitted to.
struct Sample {
    /// Coordinates or products of coordinates, `(features, n)`.
    features: Array2<f64>,
    /// The second moments `Z^T Z`, `(d, d)`.
    second: Array2<f64>,
    sharing: CovarianceStructure,
}

/// The marginal of a component over a range of coordinates.
pub(crate) struct Marginal {
    pub(crate) mean: Array1<f64>,
    pub(crate) precision: Array2<f64>,
    /// The linear coefficients, `precision . mean`.
    linear: Array1<f64>,
    /// Log density at the mean, including the log weight of the component.
    pub(crate) log_weight: f64,
    /// Log density at zero, including the log weight of the component.
    log_at_zero: f64,
}

/// For each row, a 1, the coordinates, and the products `z_i z_j` of coordinates for `j <= i`.
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

/// The product `a b^T`.
fn product_t(a: &Array2<f64>, b: &Array2<f64>) -> Array2<f64> {
    let (m, n, k) = (a.nrows(), b.nrows(), a.ncols());
    let (a, b) = (a.as_standard_layout(), b.as_standard_layout());
    let mut out = Array2::zeros((m, n));
    if let (Some(a), Some(b), Some(c)) = (a.as_slice(), b.as_slice(), out.as_slice_mut()) {
        kernels::matmul_t_f64((m, n, k), k, a, b, c);
    }
    out
}

/// Turns log densities of components into responsibilities; returns the mean log likelihood.
fn normalise(logs: &mut Array2<f64>) -> f64 {
    let n = logs.nrows() as f64;
    let sums = logs.rows_mut().into_iter().map(|mut row| {
        let values = row.as_slice_mut().unwrap_or_default();
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut sum = 0.0;
        for value in values.iter_mut() {
            // Terms below e^-40 times the largest term are negligible.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mi::density_ratio::held_out_score::DensityRatio;
    use crate::seed::stream;
    use ndarray::array;
    use rand::Rng;
    use rand::distr::weighted::WeightedIndex;
    use rand_distr::{Distribution, StandardNormal};

    impl Mixture {
        /// Draws `n` rows from the mixture.
        fn sample(&self, n: usize, generator: &mut impl Rng) -> Option<Array2<f64>> {
            let d = self.means.ncols();
            let factors =
                self.covariances.iter().map(|own| cholesky(own, 0.0)).collect::<Option<Vec<_>>>()?;
            let choose = WeightedIndex::new(&self.weights).ok()?;
            let mut out = Array2::zeros((n, d));
            for mut row in out.rows_mut() {
                let k = choose.sample(generator);
                let noise = Array1::from_shape_simple_fn(d, || -> f64 { StandardNormal.sample(generator) });
                row.assign(&(factors[k.min(factors.len() - 1)].dot(&noise) + self.means.row(k)));
            }
            Some(out)
        }
    }

    fn two() -> Mixture {
        Mixture {
            weights: vec![0.25, 0.75],
            means: array![[-1.0, 0.5], [2.0, 1.0]],
            covariances: vec![array![[1.0, 0.3], [0.3, 0.5]], array![[0.4, -0.2], [-0.2, 0.9]]],
            is_shared: false,
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
                // The density of a component is p(x) p(y | x).
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
        let found = Mixture::fit(&z, 2, CovarianceStructure::Rows(0.1), 3).expect("a fit");
        let first = usize::from(found.means[[0, 0]] > 0.0);
        // The fit stops when a step hardly increases the likelihood, before every parameter has converged. So
        // the test checks the density closely and the parameters loosely.
        let fresh = truth.sample(20_000, &mut stream("test", "fresh", 1)).expect("positive");
        let mean = |mixture: &Mixture| {
            mixture.log_densities(&fresh).expect("positive").iter().sum::<f64>() / 20_000.0
        };
        let divergence_nats = mean(&truth) - mean(&found);
        assert!(divergence_nats.abs() < 0.003, "{divergence_nats}");
        assert!((found.weights[first] - 0.25).abs() < 0.02, "{found:?}");
        assert!((&found.means.row(first) - &truth.means.row(0)).iter().all(|e| e.abs() < 0.1), "{found:?}");
        assert!(
            (&found.covariances[first] - &truth.covariances[0]).iter().all(|e| e.abs() < 0.1),
            "{found:?}"
        );
    }
}
