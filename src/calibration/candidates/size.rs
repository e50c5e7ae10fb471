//! Regression on log10 size, on the scale of the link: the baseline that a calibration on features must beat.

use std::sync::Arc;

use ndarray::{Array1, Array2};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::{fractional_logistic, least_squares};
use super::training_set::TrainingSet;
use super::{Candidate, CandidateRole, FittedModel};
use crate::error::Result;

/// Minimum number of rows of known size.
const LEAST_ROWS: usize = 3;

/// The regression `eta = a + b log10(size)`, over the rows whose size is known.
#[derive(Debug)]
pub(super) struct Size;

/// Whether a line can be fitted to the sizes: there are at least three, and not all are equal.
fn carries_a_line(sizes: &[f64]) -> bool {
    sizes.len() >= LEAST_ROWS && sizes.iter().any(|size| (size - sizes[0]).abs() > 1e-9)
}

/// Prediction of the size baseline at `log10_size`, for cards that do not record sizes. It equals the
/// candidate `size`, fitted to models with weight 1 and a response without bounds. `None` if there are fewer
/// than three models, or all have the same size.
///
/// # Errors
/// [`Error::Calibration`](crate::Error::Calibration) if the regression fails.
pub fn size_baseline(log10_sizes: &[f64], y: &[f64], log10_size: f64) -> Result<Option<f64>> {
    if !carries_a_line(log10_sizes) {
        return Ok(None);
    }
    let columns = Array2::from_shape_fn((log10_sizes.len(), 1), |(i, _)| log10_sizes[i]);
    least_squares_at(&columns, y, &[log10_size]).map(Some)
}

/// The least-squares regression of `y` on `x`, `(n, p)`, with an intercept, evaluated at one point of `p`
/// values. All rows have weight 1.
///
/// # Errors
/// [`Error::Calibration`](crate::Error::Calibration) if the regression fails.
pub fn least_squares_at(x: &Array2<f64>, y: &[f64], at: &[f64]) -> Result<f64> {
    let line = least_squares(x, &Array1::from(y.to_vec()), &vec![1.0; y.len()], 0.0)?;
    Ok(line[0] + at.iter().zip(line.iter().skip(1)).map(|(value, slope)| value * slope).sum::<f64>())
}

impl Candidate for Size {
    fn name(&self) -> &'static str {
        "size"
    }

    fn role(&self) -> CandidateRole {
        CandidateRole::SizeBaseline
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        10
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let sizes = &train.sample.log10_sizes;
        let known: Vec<usize> = (0..sizes.len()).filter(|&i| sizes[i].is_finite()).collect();
        let pick = |values: &[f64]| known.iter().map(|&i| values[i]).collect::<Vec<_>>();
        let columns = Array2::from_shape_fn((known.len(), 1), |(i, _)| sizes[known[i]]);
        if !carries_a_line(&pick(sizes)) {
            return Ok(None);
        }
        let weights = pick(&train.sample.weights);
        let line = match train.shares() {
            Some(shares) => fractional_logistic(&columns, &pick(&shares), &weights, 0.0)?,
            None => least_squares(&columns, &Array1::from(pick(&train.eta.to_vec())), &weights, 0.0)?,
        };
        Ok(Some(Arc::new(LinearModel {
            intercept: line[0],
            size: line[1],
            degrees_of_freedom: DegreesOfFreedom::Parameters(2),
            ..LinearModel::without_features(train.x.ncols())
        })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anscombe's first data set (Anscombe 1973): y = 3.0001 + 0.5001 x.
    #[test]
    fn the_line_agrees_with_anscombe() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let at = |size: f64| size_baseline(&x, &y, size).expect("a fit").expect("a line");
        assert!((at(0.0) - 3.000_090_9).abs() < 1e-6);
        assert!((at(1.0) - at(0.0) - 0.500_090_9).abs() < 1e-6);
        assert_eq!(size_baseline(&x[..2], &y[..2], 1.0).expect("too few models are not an error"), None);
        assert_eq!(size_baseline(&[2.0; 4], &y[..4], 1.0).expect("one size is not an error"), None);
    }
}
