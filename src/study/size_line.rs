//! The size baseline of a study: a regression on log10 parameters that is given the true size of the target,
//! which a calibration need not know.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

use crate::error::{Error, Result};

/// Fewest models for a line with an error.
const LEAST_MODELS: usize = 3;
/// Standard deviation of log10 sizes below which all models are of one size.
const LEAST_SPREAD: f64 = 1e-9;

/// Predicts `y` at `log10_size` from the least squares line through `(log10_sizes, y)`; `None` for fewer than
/// three models, or models of one size.
///
/// # Errors
/// [`Error::Study`] if the regression fails.
pub(crate) fn size_line(log10_sizes: &[f64], y: &[f64], log10_size: f64) -> Result<Option<f64>> {
    let n = log10_sizes.len() as f64;
    let mean = Array1::from(log10_sizes.to_vec()).sum() / n;
    let spread = (log10_sizes.iter().map(|size| (size - mean).powi(2)).sum::<f64>() / n).sqrt();
    if log10_sizes.len() < LEAST_MODELS || spread < LEAST_SPREAD {
        return Ok(None);
    }
    let standardised = |size: f64| (size - mean) / spread;
    let design = Array2::from_shape_fn((log10_sizes.len(), 1), |(i, _)| standardised(log10_sizes[i]));
    let fitted = LinearRegression::default()
        .fit(&Dataset::new(design, Array1::from(y.to_vec())))
        .map_err(|source| Error::Study { reason: format!("size line: {source}") })?;
    Ok(Some(fitted.intercept() + fitted.params()[0] * standardised(log10_size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Anscombe's first data set (Anscombe 1973): y = 3.0001 + 0.5001 x.
    #[test]
    fn the_line_agrees_with_anscombe() {
        let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
        let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
        let at = |size: f64| size_line(&x, &y, size).expect("a fit").expect("a line");
        assert!((at(0.0) - 3.000_090_9).abs() < 1e-6);
        assert!((at(1.0) - at(0.0) - 0.500_090_9).abs() < 1e-6);
        assert_eq!(size_line(&x[..2], &y[..2], 1.0).expect("too few models are no failure"), None);
        assert_eq!(size_line(&[2.0; 4], &y[..4], 1.0).expect("one size is no failure"), None);
    }
}
