//! What is learnt from the features of a training set alone, before any target: how missing cells are filled,
//! centre and scale, principal components. A basis is made anew inside every fold.
//!
//! Missing cells are filled from the first principal component of the standardised features (Ruan, Maddison
//! and Hashimoto 2024, arXiv 2405.10938), which is that of the filled rows: the fixed point of filling and
//! decomposing in turns. It is found by alternating least squares over the known cells, which goes to the
//! same point in rounds of `n p` steps, not of a whole decomposition. A training row and a query are filled
//! alike, by the least squares score of their known cells.

use linfa_linalg::eigh::{EigSort, EighInto};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::calibration::table::sample::{Predictors, Sample};
use crate::error::{Error, Result};
use crate::numeric::statistics::mean;

/// Most components that are kept.
pub(crate) const COMPONENTS: usize = 5;
/// A component with a smaller share of the variance is rounding.
const LEAST_SHARE: f64 = 1e-9;
/// The search for the direction of the fill, which is of length 1, stops when no loading moves by more.
const FILL_TOLERANCE: f64 = 1e-6;
const MOST_FILLS: usize = 1000;

/// Centre, scale, fill and components of a training set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// Mean of each feature over its known cells.
    pub mean: Vec<f64>,
    /// Standard deviation of each feature over its known cells (n in the denominator); 1 for a feature that
    /// is constant here.
    pub sd: Vec<f64>,
    /// First direction of the standardised features, from which missing cells are filled.
    pub fill: Vec<f64>,
    /// Smallest known value of each feature.
    pub min: Vec<f64>,
    /// Largest known value of each feature.
    pub max: Vec<f64>,
    /// What features are divided by before the components: 1 where all are shares of one unit, else their
    /// standard deviations.
    pub divisor: Vec<f64>,
    /// Mean of each feature after the fill.
    pub centre: Vec<f64>,
    /// Principal components, largest first, each of p loadings.
    pub components: Vec<Vec<f64>>,
    /// Variance of each component's scores.
    pub variances: Vec<f64>,
    /// Share of the whole variance that each component explains.
    pub explained: Vec<f64>,
    /// Mean log10 size over the rows where it is known; what a row of unknown size is taken to be by the
    /// size line.
    pub log10_size: f64,
}

impl Basis {
    /// Learns from the features of `sample`; returns them filled, `(n, p)`.
    ///
    /// # Errors
    /// [`Error::Calibration`] if linfa finds no components.
    pub fn fit(sample: &Sample) -> Result<(Self, Array2<f64>)> {
        let (n, p) = sample.x.dim();
        let mut basis = Self::moments(sample);
        let filled = basis.fill_training(sample)?;
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
        }
        basis
    }

    /// Finds the direction that missing cells are filled from, and fills each row as a query is filled.
    fn fill_training(&mut self, sample: &Sample) -> Result<Array2<f64>> {
        let x = &sample.x;
        let standard = |at: (usize, usize)| (x[at] - self.mean[at.1]) / self.sd[at.1];
        let z = Array2::from_shape_fn(x.dim(), |at| if x[at].is_finite() { standard(at) } else { 0.0 });
        let known = Array2::from_shape_fn(x.dim(), |at| f64::from(x[at].is_finite()));
        let mut direction = first_direction(&z)?;
        let rounds = if x.iter().all(|value| value.is_finite()) { 0 } else { MOST_FILLS };
        for _ in 0..rounds {
            let next = alternate(&z, &known, &direction);
            let moved = next.iter().zip(&direction).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            direction = next;
            if moved < FILL_TOLERANCE {
                break;
            }
        }
        self.fill = direction.to_vec();
        let cells: Vec<f64> =
            (0..sample.len()).flat_map(|row| self.complete(&sample.predictors(row))).collect();
        Array2::from_shape_vec(x.dim(), cells)
            .map_err(|source| Error::Calibration { reason: source.to_string() })
    }

    /// Principal components as the eigenvectors of the covariance, by linfa's dense solver; where columns
    /// outnumber rows, from those of the product of the rows, which is smaller and has the same eigenvalues.
    /// linfa's `Pca` stops an iterative solver wherever that stands: asked for 5 components of 8 columns it
    /// was seen to lose a fifth of the variance without a word, and asked for all of 30 to take ten times as
    /// long.
    fn decompose(&mut self, filled: &Array2<f64>) -> Result<()> {
        let (n, p) = filled.dim();
        let v = Array2::from_shape_fn((n, p), |(i, j)| (filled[[i, j]] - self.centre[j]) / self.divisor[j]);
        let product = if p <= n { v.t().dot(&v) } else { v.dot(&v.t()) } / n as f64;
        let total: f64 = product.diag().sum();
        if p == 0 || total.is_nan() || total <= 0.0 {
            return Ok(());
        }
        let solved = product
            .eigh_into()
            .map_err(|source| Error::Calibration { reason: format!("components: {source}") })?;
        let (values, vectors) = solved.sort_eig_desc();
        for (vector, variance) in vectors.axis_iter(Axis(1)).zip(values).take(COMPONENTS.min(n - 1)) {
            let share = variance / total;
            if share.is_nan() || share <= LEAST_SHARE {
                break;
            }
            let component = if p <= n { vector.to_owned() } else { of_length_1(v.t().dot(&vector)) };
            // The sign of a component is arbitrary; the loading of the largest size is made positive.
            let largest =
                component.iter().copied().fold(0.0f64, |a, b| if b.abs() > a.abs() + 1e-12 { b } else { a });
            self.components.push(component.iter().map(|value| value * largest.signum()).collect());
            self.variances.push(variance);
            self.explained.push(share);
        }
        Ok(())
    }

    /// A query's features with the missing ones filled.
    pub fn complete(&self, predictors: &Predictors) -> Vec<f64> {
        let (mut along, mut square) = (0.0, 0.0);
        for (j, value) in predictors.x.iter().enumerate() {
            if let Some(value) = value {
                along += (value - self.mean[j]) / self.sd[j] * self.fill[j];
                square += self.fill[j] * self.fill[j];
            }
        }
        let score = if square > 0.0 { along / square } else { 0.0 };
        let cells = predictors.x.iter().enumerate().map(|(j, value)| {
            value.unwrap_or_else(|| {
                (self.mean[j] + self.sd[j] * score * self.fill[j]).clamp(self.min[j], self.max[j])
            })
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

/// One round of alternating least squares over the known cells: the score of each row on `direction`, then
/// the loading of each column on the scores; of length 1, or all zeros.
fn alternate(z: &Array2<f64>, known: &Array2<f64>, direction: &Array1<f64>) -> Array1<f64> {
    let squares = direction * direction;
    let (mut along, mut square) = (Array1::zeros(direction.len()), Array1::<f64>::zeros(direction.len()));
    for (z, known) in z.outer_iter().zip(known.outer_iter()) {
        let length = known.dot(&squares);
        let score = if length > 0.0 { z.dot(direction) / length } else { 0.0 };
        along.scaled_add(score, &z);
        square.scaled_add(score * score, &known);
    }
    let next: Array1<f64> =
        along.iter().zip(&square).map(|(a, s)| if *s > 0.0 { a / s } else { 0.0 }).collect();
    of_length_1(next)
}

/// First right singular vector of some rows, from the eigenvectors of the smaller of their two products;
/// zeros where all rows are.
fn first_direction(z: &Array2<f64>) -> Result<Array1<f64>> {
    let (n, p) = z.dim();
    if n == 0 || p == 0 {
        return Ok(Array1::zeros(p));
    }
    let product = if p <= n { z.t().dot(z) } else { z.dot(&z.t()) };
    let solved = product
        .eigh_into()
        .map_err(|source| Error::Calibration { reason: format!("first component: {source}") })?;
    let (_, vectors) = solved.sort_eig_desc();
    let first = vectors.column(0).to_owned();
    Ok(of_length_1(if p <= n { first } else { z.t().dot(&first) }))
}

/// A vector divided by its length; zeros stay.
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

    #[test]
    fn missing_cells_are_filled_from_the_first_component_of_the_filled_rows() {
        let (n, p) = (60, 6);
        let wave = |i: usize, times: f64| (i as f64 * times).sin();
        let whole = |i: usize, j: usize| {
            wave(i, 0.37) * (1.0 + j as f64) + wave(i, 1.9) * (j as f64 - 2.5) + 0.2 * wave(i * (j + 1), 2.7)
        };
        let x = Array2::from_shape_fn(
            (n, p),
            |(i, j)| if (7 * i + 3 * j) % 5 < 2 { f64::NAN } else { whole(i, j) },
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
        let (basis, filled) = Basis::fit(&sample).expect("a basis");
        let z = Array2::from_shape_fn((n, p), |(i, j)| {
            let of = |j: usize| (sample.x[[i, j]] - basis.mean[j]) / basis.sd[j];
            let known: Vec<usize> = (0..p).filter(|&j| sample.x[[i, j]].is_finite()).collect();
            let along: f64 = known.iter().map(|&j| of(j) * basis.fill[j]).sum();
            let square: f64 = known.iter().map(|&j| basis.fill[j] * basis.fill[j]).sum();
            if known.contains(&j) { of(j) } else { along / square * basis.fill[j] }
        });
        let first = first_direction(&z).expect("a direction");
        let sign = first.dot(&Array1::from(basis.fill.clone())).signum();
        for (ours, theirs) in basis.fill.iter().zip(&first) {
            assert!((ours - sign * theirs).abs() < 1e-5, "{:?} {first}", basis.fill);
        }
        for ((i, j), value) in filled.indexed_iter() {
            let own = (basis.mean[j] + basis.sd[j] * z[[i, j]]).clamp(basis.min[j], basis.max[j]);
            assert!((value - own).abs() < 1e-9, "{i} {j}");
        }
    }
}
