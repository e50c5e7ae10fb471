//! Defines the input matrix of the estimators. Its values are checked once, and each row is a slice.

use std::borrow::Cow;

use ndarray::ArrayView2;

use crate::{Error, Result};

/// A row-major matrix without NaN or infinity. It borrows the values if they are already in row-major order.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    values: Cow<'a, [f32]>,
    rows: usize,
    columns: usize,
}

impl<'a> Matrix<'a> {
    /// Checks a matrix. `what` names the matrix in errors.
    ///
    /// # Errors
    /// [`Error::NonFinite`] with the first position and the number of values that are NaN or infinite.
    pub(crate) fn new(what: &str, view: ArrayView2<'a, f32>) -> Result<Self> {
        let (rows, columns) = view.dim();
        let mut values = match view.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(view.iter().copied().collect()),
        };
        // A sum without early exit can be vectorised, so the check runs at memory speed.
        let count: usize = values
            .chunks(4096)
            .map(|chunk| chunk.iter().map(|value| u32::from(!value.is_finite())).sum::<u32>() as usize)
            .sum();
        if count > 0 {
            let first = values.iter().position(|value| !value.is_finite());
            let first = first.unwrap_or_default();
            return Err(Error::NonFinite {
                what: what.to_owned(),
                row: first / columns,
                column: first % columns,
                count,
            });
        }
        // Rows are compared bit by bit, so replace -0 by +0.
        if values.iter().any(|value| value.to_bits() == (-0.0_f32).to_bits()) {
            values.to_mut().iter_mut().for_each(|value| *value += 0.0);
        }
        Ok(Self { values, rows, columns })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns..][..self.columns]
    }

    /// Whether two rows are bit-identical.
    pub(crate) fn rows_equal(&self, a: usize, b: usize) -> bool {
        let bits = |index| self.row(index).iter().map(|value| value.to_bits());
        bits(a).eq(bits(b))
    }
}
