//! The basis of a training set: everything that is learnt from the features and sizes, without the target. It
//! consists of the imputation of missing cells, the centre and scale of each feature, and the principal
//! components. Every fold learns its own basis.
//!
//! Missing cells are imputed with their conditional means under a factor model of the features and the log
//! size, which is learnt from the known cells (see [`FactorModel`]). Training rows and queries are imputed in
//! the same way.

use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::factor_model::{FactorModel, Factors};
use crate::calibration::table::sample::{Predictors, Sample};
use crate::error::{Error, Result};
use crate::numeric::statistics::mean;

/// Maximum number of components.
pub(crate) const COMPONENTS: usize = 5;
/// Components that explain a smaller share of the variance are treated as rounding errors.
const LEAST_SHARE: f64 = 1e-9;
/// Maximum distance of an imputed cell from the range of the known cells, as a multiple of the width of this
/// range.
const MOST_BEYOND: f64 = 0.5;

/// Imputation, centre, scale and components of a training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// Mean of each feature over its known cells.
    pub mean: Vec<f64>,
    /// Standard deviation of each feature over its known cells (n in the denominator); 1 for a feature that
    /// is constant in the training set.
    pub sd: Vec<f64>,
    /// Factor model of the standardised features and, as its last column, the standardised log10 size.
    pub factors: FactorModel,
    /// Smallest known value of each feature.
    pub min: Vec<f64>,
    /// Largest known value of each feature.
    pub max: Vec<f64>,
    /// Each feature is divided by this before the components are computed: by 1 if all cells lie in `[0, 1]`,
    /// otherwise by its standard deviation.
    pub divisor: Vec<f64>,
    /// Mean of each feature after imputation.
    pub centre: Vec<f64>,
    /// Principal components, largest first, each with p loadings.
    pub components: Vec<Vec<f64>>,
    /// Variance of each component's scores.
    pub variances: Vec<f64>,
    /// Share of the total variance that each component explains.
    pub explained: Vec<f64>,
    /// Mean log10 size over the rows of known size. It is the centre for imputed sizes.
    pub log10_size: f64,
    /// Standard deviation of log10 size; 1 if all known sizes are equal.
    pub log10_size_sd: f64,
}

impl Basis {
    /// Learns from the features of `sample`. Returns the basis and the imputed features, `(n, p)`.
    ///
    /// # Errors
    /// [`Error::Calibration`] if linfa cannot compute the components.
    pub fn fit(sample: &Sample) -> Result<(Self, Array2<f64>)> {
        Self::fit_near(sample, None)
    }

    /// Like [`Self::fit`], but starts the search for factors from `near`, the basis of a slightly larger
    /// sample that contains these rows.
    pub(crate) fn fit_near(sample: &Sample, near: Option<&Self>) -> Result<(Self, Array2<f64>)> {
        let (n, p) = sample.x.dim();
        let mut basis = Self::moments(sample);
        let filled = basis.fill_training(sample, near)?;
        let shares = filled.iter().all(|value| (0.0..=1.0).contains(value));
        basis.divisor = if shares { vec![1.0; p] } else { basis.sd.clone() };
        basis.centre = (0..p).map(|j| filled.column(j).sum() / n as f64).collect();
        basis.decompose(&filled)?;
        Ok((basis, filled))
    }

    fn moments(sample: &Sample) -> Self {
        let p = sample.x.ncols();
        let mut basis = Self {
            mean: vec![0.0; p],
            sd: vec![1.0; p],
            factors: FactorModel::without_factors(p + 1),
            min: vec![0.0; p],
            max: vec![0.0; p],
            divisor: vec![],
            centre: vec![],
            components: vec![],
            variances: vec![],
            explained: vec![],
            log10_size: 0.0,
            log10_size_sd: 1.0,
        };
        for (j, column) in sample.x.axis_iter(Axis(1)).enumerate() {
            let known: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
            if known.is_empty() {
                continue;
            }
            let n = known.len() as f64;
            let mean = mean(&known);
            let sd = (known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            basis.mean[j] = mean;
            basis.sd[j] = if sd > 1e-12 * mean.abs() && sd > 0.0 { sd } else { 1.0 };
            basis.min[j] = known.iter().copied().fold(f64::INFINITY, f64::min);
            basis.max[j] = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        }
        let sizes: Vec<f64> = sample.log10_sizes.iter().copied().filter(|size| size.is_finite()).collect();
        if !sizes.is_empty() {
            basis.log10_size = mean(&sizes);
            let square = sizes.iter().map(|size| (size - basis.log10_size).powi(2)).sum::<f64>();
            let sd = (square / sizes.len() as f64).sqrt();
            basis.log10_size_sd = if sd > 1e-9 { sd } else { 1.0 };
        }
        basis
    }

    /// Learns the factors for imputation, and imputes each row in the same way as a query.
    fn fill_training(&mut self, sample: &Sample, near: Option<&Self>) -> Result<Array2<f64>> {
        let (n, p) = sample.x.dim();
        let z = Array2::from_shape_fn((n, p + 1), |(i, j)| {
            if j < p {
                (sample.x[[i, j]] - self.mean[j]) / self.sd[j]
            } else {
                (sample.log10_sizes[i] - self.log10_size) / self.log10_size_sd
            }
        });
        let near = near.map(|near| &near.factors);
        self.factors = FactorModel::fit(&z, &sample.weights, FactorModel::rank(n, p + 1), near);
        let cells: Vec<f64> = (0..n).flat_map(|row| self.complete(&sample.predictors(row))).collect();
        Array2::from_shape_vec((n, p), cells)
            .map_err(|source| Error::Calibration { reason: source.to_string() })
    }

    /// Computes the principal components as the eigenvectors of the covariance, by linfa's dense solver. If
    /// there are more columns than rows, it uses the Gram matrix of the rows, which is smaller and has the
    /// same nonzero eigenvalues. linfa's `Pca` is not used, because its iterative solver stops before it
    /// converges. For 5 components of 8 columns, `Pca` lost a fifth of the variance without an error. For all
    /// components of 30 columns, it took ten times as long.
    fn decompose(&mut self, filled: &Array2<f64>) -> Result<()> {
        let (n, p) = filled.dim();
        let v = Array2::from_shape_fn((n, p), |(i, j)| (filled[[i, j]] - self.centre[j]) / self.divisor[j]);
        let product = if p <= n { v.t().dot(&v) } else { v.dot(&v.t()) } / n as f64;
        let total: f64 = product.diag().sum();
        if p == 0 || total.is_nan() || total <= 0.0 {
            return Ok(());
        }
        let solved = product.eigh_into().map_err(|source| Error::Calibration {
            reason: format!("cannot compute the principal components: {source}"),
        })?;
        let (values, vectors) = solved.sort_eig_desc();
        for (vector, variance) in vectors.axis_iter(Axis(1)).zip(values).take(COMPONENTS.min(n - 1)) {
            let share = variance / total;
            if share.is_nan() || share <= LEAST_SHARE {
                break;
            }
            let component = if p <= n { vector.to_owned() } else { of_length_1(v.t().dot(&vector)) };
            // The sign of a component is arbitrary. It is chosen so that the largest loading is positive.
            let largest =
                component.iter().copied().fold(0.0f64, |a, b| if b.abs() > a.abs() + 1e-12 { b } else { a });
            self.components.push(component.iter().map(|value| value * largest.signum()).collect());
            self.variances.push(variance);
            self.explained.push(share);
        }
        Ok(())
    }

    /// A row's features, with missing ones imputed.
    pub fn complete(&self, predictors: &Predictors) -> Vec<f64> {
        if let Some(known) = predictors.x.iter().copied().collect::<Option<Vec<f64>>>() {
            return known;
        }
        let factors = self.factors_of(predictors);
        let cells = predictors.x.iter().enumerate().map(|(j, value)| {
            let reach = MOST_BEYOND * (self.max[j] - self.min[j]);
            let (mut low, mut high) = (self.min[j] - reach, self.max[j] + reach);
            if self.min[j] >= 0.0 {
                // If no known cell of a feature is negative, its imputed cells are not negative either. If
                // all known cells are also at most 1, the feature may be a share, so its imputed cells are at
                // most 1 too.
                low = low.max(0.0);
                high = if self.max[j] <= 1.0 { high.min(1.0) } else { high };
            }
            value.unwrap_or_else(|| {
                (self.mean[j] + self.sd[j] * self.factors.expected(&factors, j)).clamp(low, high)
            })
        });
        cells.collect()
    }

    /// A row's log10 size, imputed if it is missing.
    pub fn complete_size(&self, predictors: &Predictors) -> f64 {
        predictors.log10_size.unwrap_or_else(|| {
            let factors = self.factors_of(predictors);
            self.log10_size + self.log10_size_sd * self.factors.expected(&factors, predictors.x.len())
        })
    }

    /// Completed features, centred and divided by their standard deviations. If `with_size` is true, the
    /// log10 size follows, scaled in the same way.
    pub fn inputs(&self, x: &[f64], predictors: &Predictors, with_size: bool) -> Vec<f64> {
        let scaled = x.iter().enumerate().map(|(j, value)| (value - self.centre[j]) / self.sd[j]);
        let mut inputs: Vec<f64> = scaled.collect();
        if with_size {
            inputs.push((self.complete_size(predictors) - self.log10_size) / self.log10_size_sd);
        }
        inputs
    }

    fn factors_of(&self, predictors: &Predictors) -> Factors {
        let cells = predictors.x.iter().enumerate();
        let cells = cells.map(|(j, cell)| cell.map_or(f64::NAN, |value| (value - self.mean[j]) / self.sd[j]));
        let size = predictors.log10_size.map(|size| (size - self.log10_size) / self.log10_size_sd);
        self.factors.factors(cells.chain(std::iter::once(size.unwrap_or(f64::NAN))))
    }

    /// Scores of completed features on the components.
    pub fn scores(&self, x: &[f64]) -> Vec<f64> {
        let along = |component: &Vec<f64>| {
            let terms = component.iter().zip(x).enumerate();
            terms.map(|(j, (loading, value))| loading * (value - self.centre[j]) / self.divisor[j]).sum()
        };
        self.components.iter().map(along).collect()
    }
}

/// A vector divided by its length; the zero vector is returned unchanged.
fn of_length_1(vector: Array1<f64>) -> Array1<f64> {
    let length = vector.dot(&vector).sqrt();
    if length > 0.0 { vector / length } else { vector }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_of_more_columns_than_rows_are_those_of_the_covariance() {
        let (n, p) = (12, 40);
        let x = Array2::from_shape_fn((n, p), |(i, j)| ((i * (j + 2)) as f64 * 0.7).sin() * (1.0 + j as f64));
        let names: Vec<String> = (0..n).map(|i| format!("m{i}")).collect();
        let sample = Sample {
            models: names.clone(),
            families: names,
            log10_sizes: vec![f64::NAN; n],
            proxies: None,
            y: vec![0.0; n],
            x,
            weights: vec![1.0; n],
        };
        let (basis, filled) = Basis::fit(&sample).expect("a basis");
        let v = Array2::from_shape_fn((n, p), |(i, j)| (filled[[i, j]] - basis.centre[j]) / basis.divisor[j]);
        let covariance = v.t().dot(&v) / n as f64;
        assert_eq!(basis.components.len(), COMPONENTS);
        for (component, variance) in basis.components.iter().zip(&basis.variances) {
            let component = Array1::from(component.clone());
            assert!((component.dot(&component) - 1.0).abs() < 1e-9);
            let moved = covariance.dot(&component) - *variance * &component;
            assert!(moved.iter().all(|value| value.abs() < 1e-9 * variance), "{moved}");
        }
        assert!(basis.variances.is_sorted_by(|a, b| a >= b));
    }

    /// Features that are multiples of one wave plus a little noise. Returns the table with missing cells, and
    /// the complete table.
    fn sample(n: usize, p: usize) -> (Sample, Array2<f64>) {
        let whole = Array2::from_shape_fn((n, p), |(i, j)| {
            (i as f64 * 0.37).sin() * (1.0 + j as f64) + 0.02 * ((i * (j + 1)) as f64 * 2.7).sin()
        });
        let x = Array2::from_shape_fn(
            (n, p),
            |(i, j)| {
                if (7 * i + 3 * j) % 5 < 2 { f64::NAN } else { whole[[i, j]] }
            },
        );
        let names: Vec<String> = (0..n).map(|i| format!("m{i}")).collect();
        let sample = Sample {
            models: names.clone(),
            families: names,
            log10_sizes: vec![f64::NAN; n],
            proxies: None,
            y: vec![0.0; n],
            x,
            weights: vec![1.0; n],
        };
        (sample, whole)
    }

    #[test]
    fn missing_cells_are_filled_from_the_known_cells_of_their_row() {
        let (sample, whole) = sample(60, 6);
        let (basis, filled) = Basis::fit(&sample).expect("a basis");
        for ((i, j), value) in filled.indexed_iter() {
            let error = (value - whole[[i, j]]).abs() / basis.sd[j];
            assert!(error < 0.25, "{i} {j}: {value}, not {}", whole[[i, j]]);
        }
        // A row without any known cell gets the mean of each feature.
        let nothing = Predictors { x: vec![None; 6], log10_size: None, proxy: None, family: String::new() };
        let mean = basis.complete(&nothing);
        assert!((0..6).all(|j| (mean[j] - basis.mean[j]).abs() < 0.3 * basis.sd[j]));
        assert_eq!(basis.complete_size(&nothing), basis.log10_size);
    }
}
