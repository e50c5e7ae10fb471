//! What is learnt from the features of a training set alone, before any target: how missing cells are filled, centre and scale, principal components.
//! A basis is made anew inside every fold.
//!
//! Missing cells are filled from the first principal component of the standardised features (Ruan, Maddison and Hashimoto 2024, arXiv 2405.10938): training rows until the
//! fill moves by less than 1e-4, a query by the least squares score of its known cells, which is the fixed point of the same iteration.

use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::sample::{Query, Sample};
use crate::error::{Error, Result};

/// Most components that are kept.
pub(super) const COMPONENTS: usize = 5;
/// A component with a smaller share of the variance is rounding.
const LEAST_SHARE: f64 = 1e-9;
/// The fill of missing cells stops when it moves less than this, in standard deviations.
const FILL_TOLERANCE: f64 = 1e-4;
const MOST_FILLS: usize = 1000;

/// Centre, scale, fill and components of a training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// Mean of each feature over its known cells.
    pub mean: Vec<f64>,
    /// Standard deviation of each feature over its known cells (n in the denominator); 1 for a feature that is constant here.
    pub sd: Vec<f64>,
    /// First direction of the standardised features, from which missing cells are filled.
    pub fill: Vec<f64>,
    /// Smallest known value of each feature.
    pub min: Vec<f64>,
    /// Largest known value of each feature.
    pub max: Vec<f64>,
    /// What features are divided by before the components: 1 where all are shares of one unit, else their standard deviations.
    pub divisor: Vec<f64>,
    /// Mean of each feature after the fill.
    pub centre: Vec<f64>,
    /// Principal components, largest first, each of p loadings.
    pub components: Vec<Vec<f64>>,
    /// Variance of each component's scores.
    pub variances: Vec<f64>,
    /// Share of the whole variance that each component explains.
    pub explained: Vec<f64>,
    /// Mean log10 size over the rows where it is known; what a row of unknown size is taken to be by the size line.
    pub log10_size: f64,
}

impl Basis {
    /// Learns from the features of `sample`; returns them filled, `(n, p)`.
    ///
    /// # Errors
    /// [`Error::Fit`] if linfa finds no components.
    pub fn fit(sample: &Sample) -> Result<(Self, Array2<f64>)> {
        let (n, p) = sample.x.dim();
        let mut basis = Self::moments(sample);
        let filled = basis.fill_training(&sample.x)?;
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
            fill: vec![0.0; p],
            min: vec![0.0; p],
            max: vec![0.0; p],
            divisor: vec![],
            centre: vec![],
            components: vec![],
            variances: vec![],
            explained: vec![],
            log10_size: 0.0,
        };
        for (j, column) in sample.x.axis_iter(Axis(1)).enumerate() {
            let known: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
            if known.is_empty() {
                continue;
            }
            let n = known.len() as f64;
            let mean = known.iter().sum::<f64>() / n;
            let sd = (known.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            basis.mean[j] = mean;
            basis.sd[j] = if sd > 1e-12 * mean.abs() && sd > 0.0 { sd } else { 1.0 };
            basis.min[j] = known.iter().copied().fold(f64::INFINITY, f64::min);
            basis.max[j] = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        }
        let sizes: Vec<f64> = sample.log10_sizes.iter().copied().filter(|size| size.is_finite()).collect();
        if !sizes.is_empty() {
            basis.log10_size = sizes.iter().sum::<f64>() / sizes.len() as f64;
        }
        basis
    }

    /// Alternates between the first direction of the filled rows and the fill from it.
    fn fill_training(&mut self, x: &Array2<f64>) -> Result<Array2<f64>> {
        let (n, p) = x.dim();
        let missing: Vec<(usize, usize)> =
            x.indexed_iter().filter(|(_, value)| !value.is_finite()).map(|(at, _)| at).collect();
        let standard = |i: usize, j: usize| (x[[i, j]] - self.mean[j]) / self.sd[j];
        let mut z = Array2::from_shape_fn((n, p), |(i, j)| if x[[i, j]].is_finite() { standard(i, j) } else { 0.0 });
        let mut direction = Array1::zeros(p);
        for round in 0..MOST_FILLS {
            direction = first_direction(&z)?;
            let mut moved = 0.0f64;
            for &(i, j) in &missing {
                let value = z.row(i).dot(&direction) * direction[j];
                moved = moved.max((value - z[[i, j]]).abs());
                z[[i, j]] = value;
            }
            if missing.is_empty() || (moved < FILL_TOLERANCE && round > 0) {
                break;
            }
        }
        self.fill = direction.to_vec();
        let mut filled = x.clone();
        for (i, j) in missing {
            filled[[i, j]] = (self.mean[j] + self.sd[j] * z[[i, j]]).clamp(self.min[j], self.max[j]);
        }
        Ok(filled)
    }

    /// Principal components as the eigenvectors of the covariance, by linfa's dense solver. Its `Pca` stops an iterative one wherever that stands: asked for 5
    /// components of 8 columns it was seen to lose a fifth of the variance without a word, and asked for all of 30 to take ten times as long.
    fn decompose(&mut self, filled: &Array2<f64>) -> Result<()> {
        let (n, p) = filled.dim();
        let v = Array2::from_shape_fn((n, p), |(i, j)| (filled[[i, j]] - self.centre[j]) / self.divisor[j]);
        let covariance = v.t().dot(&v) / n as f64;
        let total: f64 = covariance.diag().sum();
        if p == 0 || total.is_nan() || total <= 0.0 {
            return Ok(());
        }
        let solved = covariance.eigh_into().map_err(|source| Error::Fit { reason: format!("components: {source}") })?;
        let (values, vectors) = solved.sort_eig_desc();
        for (component, variance) in vectors.axis_iter(Axis(1)).zip(values).take(COMPONENTS.min(n - 1)) {
            let share = variance / total;
            if share.is_nan() || share <= LEAST_SHARE {
                break;
            }
            // The sign of a component is arbitrary; the loading of the largest size is made positive.
            let largest = component.iter().copied().fold(0.0f64, |a, b| if b.abs() > a.abs() + 1e-12 { b } else { a });
            self.components.push(component.iter().map(|value| value * largest.signum()).collect());
            self.variances.push(variance);
            self.explained.push(share);
        }
        Ok(())
    }

    /// A query's features with the missing ones filled.
    pub fn complete(&self, query: &Query) -> Vec<f64> {
        let (mut along, mut square) = (0.0, 0.0);
        for (j, value) in query.x.iter().enumerate() {
            if let Some(value) = value {
                along += (value - self.mean[j]) / self.sd[j] * self.fill[j];
                square += self.fill[j] * self.fill[j];
            }
        }
        let score = if square > 0.0 { along / square } else { 0.0 };
        let cells = query.x.iter().enumerate().map(|(j, value)| {
            value.unwrap_or_else(|| (self.mean[j] + self.sd[j] * score * self.fill[j]).clamp(self.min[j], self.max[j]))
        });
        cells.collect()
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

/// First right singular vector of some rows, from the eigenvectors of the smaller of their two products; zeros where all rows are.
fn first_direction(z: &Array2<f64>) -> Result<Array1<f64>> {
    let (n, p) = z.dim();
    if n == 0 || p == 0 {
        return Ok(Array1::zeros(p));
    }
    let product = if p <= n { z.t().dot(z) } else { z.dot(&z.t()) };
    let solved = product.eigh_into().map_err(|source| Error::Fit { reason: format!("first component: {source}") })?;
    let (_, vectors) = solved.sort_eig_desc();
    let first = vectors.column(0).to_owned();
    let direction = if p <= n { first } else { z.t().dot(&first) };
    let length = direction.dot(&direction).sqrt();
    Ok(if length > 0.0 { direction / length } else { Array1::zeros(p) })
}
