//! The size baseline of a study: a regression on log10 parameters that is given the true size of the target,
//! which a calibration need not know.

use ndarray::{Array1, Array2};

use crate::calibration::candidates::least_squares;
use crate::error::Result;

/// Fewest models for a line with an error.
const LEAST_MODELS: usize = 3;

/// Predicts `y` at `log10_size` from the least squares line through `(log10_sizes, y)`; `None` for fewer than
/// three models, or models of one size.
///
/// # Errors
/// [`crate::Error::Fit`] if the regression fails.
pub(crate) fn size_line(log10_sizes: &[f64], y: &[f64], log10_size: f64) -> Result<Option<f64>> {
    let n = log10_sizes.len();
    let varies = log10_sizes.iter().any(|size| (size - log10_sizes[0]).abs() > 1e-9);
    if n < LEAST_MODELS || !varies {
        return Ok(None);
    }
    let columns = Array2::from_shape_fn((n, 1), |(i, _)| log10_sizes[i]);
    let line = least_squares(&columns, &Array1::from(y.to_vec()), &vec![1.0; n], 0.0)?;
    Ok(Some(line[0] + line[1] * log10_size))
}
