//! The training set of candidates: the rows with the basis of their features.

use ndarray::{Array1, Array2};

use super::basis::Basis;
use super::regression::{fractional_logistic, least_squares};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::error::{Error, Result};

/// The training set of candidates.
#[derive(Debug)]
pub struct TrainingSet<'a> {
    /// The rows.
    pub sample: &'a Sample,
    /// The basis of the features of these rows.
    pub basis: Basis,
    /// Features with missing cells imputed, `(n, p)`.
    pub x: Array2<f64>,
    /// Scores on the principal components, `(n, k)`.
    pub scores: Array2<f64>,
    /// The response on the scale of the link.
    pub eta: Array1<f64>,
    /// The link.
    pub link: Link,
}

impl<'a> TrainingSet<'a> {
    /// Learns the basis from the rows.
    ///
    /// # Errors
    /// [`Error::Calibration`] if linfa cannot compute the components.
    pub fn new(sample: &'a Sample, link: Link) -> Result<Self> {
        Self::near(sample, link, None)
    }

    /// Like [`Self::new`], but starts the search for factors from `near`, the basis of a slightly larger
    /// sample that contains these rows.
    ///
    /// # Errors
    /// Returns the errors of [`Self::new`].
    pub(crate) fn near(sample: &'a Sample, link: Link, near: Option<&Basis>) -> Result<Self> {
        let (basis, x) = Basis::fit_near(sample, near)?;
        let k = basis.components.len();
        let scores: Vec<f64> = x.outer_iter().flat_map(|row| basis.scores(&row.to_vec())).collect();
        let scores = Array2::from_shape_vec((sample.len(), k), scores)
            .map_err(|source| Error::Calibration { reason: source.to_string() })?;
        let eta: Array1<f64> = sample.y.iter().map(|y| link.apply(*y)).collect();
        Ok(Self { sample, basis, x, scores, eta, link })
    }

    /// Imputed features, centred and divided by their standard deviations, `(n, p)`.
    pub(super) fn standardised(&self) -> Array2<f64> {
        let basis = &self.basis;
        Array2::from_shape_fn(self.x.dim(), |(i, j)| (self.x[[i, j]] - basis.centre[j]) / basis.sd[j])
    }

    /// Whether the sizes of at least three quarters of the rows are known and differ, so that size can be an
    /// input.
    pub(super) fn has_sizes(&self) -> bool {
        let known: Vec<f64> =
            self.sample.log10_sizes.iter().copied().filter(|size| size.is_finite()).collect();
        let differ = known.iter().any(|size| (size - known[0]).abs() > 1e-9);
        differ && 4 * known.len() >= 3 * self.sample.len()
    }

    /// The inputs of all rows, each as in [`Basis::inputs`], `(n, p)` or `(n, p + 1)`.
    pub(super) fn inputs(&self, with_size: bool) -> Array2<f64> {
        let n = self.sample.len();
        let row =
            |i: usize| self.basis.inputs(&self.x.row(i).to_vec(), &self.sample.predictors(i), with_size);
        let cells: Vec<f64> = (0..n).flat_map(row).collect();
        let width = self.x.ncols() + usize::from(with_size);
        Array2::from_shape_fn((n, width), |(i, j)| cells[i * width + j])
    }

    /// The response as shares of its range; `None` for a response without bounds.
    pub(super) fn shares(&self) -> Option<Vec<f64>> {
        let Link::Logit { low, high } = self.link else { return None };
        Some(self.sample.y.iter().map(|y| (y - low) / (high - low)).collect())
    }

    /// Regression on some columns: fractional logistic if the response has bounds, otherwise least squares.
    /// The constant comes first.
    pub(super) fn regress(&self, columns: &Array2<f64>, penalty: f64) -> Result<Vec<f64>> {
        match self.shares() {
            Some(shares) => fractional_logistic(columns, &shares, &self.sample.weights, penalty),
            None => least_squares(columns, &self.eta, &self.sample.weights, penalty),
        }
    }
}

/// Variances of the training features along their principal axes, for the degrees of freedom.
#[derive(Debug, Clone)]
pub struct FeatureSpectrum {
    /// Number of rows.
    pub n: usize,
    /// Eigenvalues of the correlation matrix within its rank, largest first.
    pub eigenvalues: Vec<f64>,
}
