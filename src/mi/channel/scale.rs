//! Standardises `y`. The precision `b` of the channel is relative to the standardised scale.
//!
//! The channel adds noise of size `sigma = b sqrt(d)` to each coordinate. Mutual information without noise
//! does not change when a variable is rescaled. With noise this holds only if the noise is relative to the
//! scale of the variable, so `y` is standardised first. [`Scale`] defines two ways to standardise `y`.
//!
//! Moments are taken over all `n` rows (divisor `n`); each distinct row is weighted by its count. They are
//! computed in `f64`, and rows are centred before any product in `f32`. So values near 1e20 or 1e-20, or far
//! from zero, lose no precision.

use serde::{Deserialize, Serialize};

use crate::mi::samples::distinct::Distinct;
use crate::numeric::matrix::Matrix;

/// A coordinate is constant if its standard deviation is at most this fraction of the largest standard
/// deviation or of its own absolute mean. The fraction is about ten units in the last place of `f32`; smaller
/// variation counts as rounding error.
const CONSTANT: f64 = 1e-6;

/// The scale of `y` to which the size of the noise is relative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scale {
    /// Each coordinate is centred and divided by its standard deviation over the rows. Constant coordinates
    /// are dropped and do not count in `d`. Rescaling, shifting or duplicating coordinates does not change
    /// the result.
    #[default]
    Spread,
    /// Each row is centred over its coordinates and divided by its root mean square, as in a norm layer; then
    /// each coordinate is centred over the rows. `b` is an angular resolution. No coordinate is dropped,
    /// because a norm layer uses all of them.
    Norm,
}

impl Scale {
    /// All scales, the default first.
    pub const ALL: [Self; 2] = [Self::Spread, Self::Norm];

    /// The name of the scale in files and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Norm => "norm",
        }
    }

    /// Describes the scale in one line.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Spread => "The spread of each coordinate over the rows",
            Self::Norm => "The norm of each row",
        }
    }

    /// The default precisions `b` of this scale.
    #[must_use]
    pub const fn default_precisions(self) -> &'static [f64] {
        match self {
            Self::Spread => &[0.10, 0.15, 0.25, 0.40],
            Self::Norm => &[0.05, 0.10, 0.20, 0.30],
        }
    }

    /// The precision of the headline estimate.
    #[must_use]
    pub const fn headline_precision(self) -> f64 {
        match self {
            Self::Spread => 0.25,
            Self::Norm => 0.10,
        }
    }

    /// Standardises the distinct rows of `y`.
    pub(crate) fn standardise(self, y: &Matrix<'_>, distinct: &Distinct) -> Standardised {
        match self {
            Self::Spread => spread(y, distinct),
            Self::Norm => norm(y, distinct),
        }
    }
}

/// The standardised distinct rows of `y`.
#[derive(Debug)]
pub(crate) struct Standardised {
    /// The values, `(distinct rows, d)`, row-major.
    pub(crate) values: Vec<f32>,
    /// Number of coordinates kept; 0 if no coordinate varies.
    pub(crate) d: usize,
    /// Indices of the dropped coordinates.
    pub(crate) dropped: Vec<usize>,
}

fn spread(y: &Matrix<'_>, distinct: &Distinct) -> Standardised {
    let as_they_are = |_: usize| (0.0, 1.0);
    let moments = Moments::new(y, distinct, as_they_are);
    let kept = moments.varying();
    let factors: Vec<f64> = kept.iter().map(|&column| 1.0 / moments.sd[column]).collect();
    let means: Vec<f64> = kept.iter().map(|&column| moments.mean[column]).collect();
    let mut values = Vec::with_capacity(distinct.len() * kept.len());
    for &row in &distinct.first {
        let row = y.row(row);
        if kept.len() == row.len() {
            values.extend(standard(row.iter().copied(), &means, &factors));
        } else {
            let row = kept.iter().map(|&column| row[column]);
            values.extend(standard(row, &means, &factors));
        }
    }
    let dropped = (0..y.columns()).filter(|column| kept.binary_search(column).is_err()).collect();
    Standardised { values, d: kept.len(), dropped }
}

fn standard(row: impl Iterator<Item = f32>, means: &[f64], factors: &[f64]) -> impl Iterator<Item = f32> {
    row.zip(means).zip(factors).map(|((value, mean), factor)| ((f64::from(value) - mean) * factor) as f32)
}

fn norm(y: &Matrix<'_>, distinct: &Distinct) -> Standardised {
    let rows: Vec<(f64, f64)> = distinct.first.iter().map(|&row| centre_and_factor(y.row(row))).collect();
    let moments = Moments::new(y, distinct, |index| rows[index]);
    // Rows have root mean square 1 here, so the threshold is relative to 1.
    if moments.sd.iter().all(|&sd| sd <= CONSTANT) {
        return Standardised { values: Vec::new(), d: 0, dropped: (0..y.columns()).collect() };
    }
    let mut values = Vec::with_capacity(distinct.len() * y.columns());
    for (&row, (centre, factor)) in distinct.first.iter().zip(&rows) {
        values.extend(
            y.row(row)
                .iter()
                .zip(&moments.mean)
                .map(|(&value, mean)| ((f64::from(value) - centre) * factor - mean) as f32),
        );
    }
    Standardised { values, d: y.columns(), dropped: vec![] }
}

/// The mean of a row over its coordinates, and one divided by its root mean square after centring. For a row
/// of equal coordinates the factor is 0, so the row becomes zero.
fn centre_and_factor(row: &[f32]) -> (f64, f64) {
    let d = row.len() as f64;
    let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / d;
    let square = row.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum::<f64>() / d;
    let root_mean_square = square.sqrt();
    if root_mean_square > CONSTANT * mean.abs() { (mean, 1.0 / root_mean_square) } else { (mean, 0.0) }
}

/// Mean and standard deviation of each coordinate over all rows.
struct Moments {
    mean: Vec<f64>,
    sd: Vec<f64>,
}

impl Moments {
    /// The moments of `(y - centre) * factor`, where `row(index)` returns `(centre, factor)` of a distinct
    /// row.
    fn new(y: &Matrix<'_>, distinct: &Distinct, row: impl Fn(usize) -> (f64, f64)) -> Self {
        let n = distinct.count(&(0..distinct.len())) as f64;
        let rows = || {
            let counted = distinct.first.iter().zip(&distinct.counts).enumerate();
            counted.map(|(index, (&first, &count))| (y.row(first), row(index), f64::from(count) / n))
        };
        let mut mean = vec![0.0; y.columns()];
        for (values, (centre, factor), weight) in rows() {
            for (mean, &value) in mean.iter_mut().zip(values) {
                *mean += (f64::from(value) - centre) * factor * weight;
            }
        }
        let mut variance = vec![0.0; y.columns()];
        for (values, (centre, factor), weight) in rows() {
            for ((variance, &value), mean) in variance.iter_mut().zip(values).zip(&mean) {
                let centred = (f64::from(value) - centre) * factor - mean;
                *variance += centred * centred * weight;
            }
        }
        Self { mean, sd: variance.into_iter().map(f64::sqrt).collect() }
    }

    /// The coordinates that are not constant.
    fn varying(&self) -> Vec<usize> {
        let largest = self.sd.iter().copied().fold(0.0, f64::max);
        (0..self.sd.len())
            .filter(|&column| {
                let sd = self.sd[column];
                sd > CONSTANT * largest && sd > CONSTANT * self.mean[column].abs()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    fn standardised(scale: Scale, y: &Array2<f32>) -> Standardised {
        let x = Array2::from_shape_fn((y.nrows(), 1), |(row, _)| row as f32);
        let x = Matrix::new("x", x.view()).expect("finite");
        let y = Matrix::new("y", y.view()).expect("finite");
        scale.standardise(&y, &Distinct::new(&x, &y))
    }

    #[test]
    fn spread_gives_unit_variance_at_any_magnitude_and_drops_constants() {
        let y = array![[1e20, 3.0, 1e-20, 1000.0], [-1e20, 3.0, 3e-20, 1_000.000_1]];
        let found = standardised(Scale::Spread, &y);
        // Only the first coordinate is kept: relative to its spread of 1e20, the other coordinates are
        // constant.
        assert_eq!((found.d, found.dropped.as_slice()), (1, &[1, 2, 3][..]));
        assert_eq!(found.values, [1.0, -1.0]);

        let y = array![[3.0, 1e-20], [3.0, 3e-20]];
        let found = standardised(Scale::Spread, &y);
        assert_eq!((found.d, found.dropped.as_slice()), (1, &[0][..]));
        assert_eq!(found.values, [-1.0, 1.0]);
    }

    #[test]
    fn norm_forgets_the_length_of_a_row_and_its_offset() {
        let y = array![[1.0, -1.0], [5.0, 11.0], [7.0, 7.0]];
        let found = standardised(Scale::Norm, &y);
        // The rows become (1, -1), (-1, 1) and, for the constant row, (0, 0). Their mean over rows is zero.
        assert_eq!(found.values, [1.0, -1.0, -1.0, 1.0, 0.0, 0.0]);
        assert_eq!((found.d, found.dropped.as_slice()), (2, &[][..]));
    }

    #[test]
    fn nothing_that_varies_leaves_no_coordinates() {
        let y = array![[0.1, 0.2, 0.7], [0.1, 0.2, 0.7]];
        assert_eq!(standardised(Scale::Spread, &y).d, 0);
        assert_eq!(standardised(Scale::Norm, &y).d, 0);
    }
}
