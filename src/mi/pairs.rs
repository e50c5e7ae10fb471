//! Defines paired samples, the input of every estimator.

use ndarray::ArrayView2;

use crate::{Error, Result};

/// A borrowed view of `x` and `y`, where row `i` of `x` belongs to row `i` of `y`.
///
/// The constructor checks shapes. The estimator checks values when it reads them, and returns
/// [`Error::NonFinite`] for NaN and infinity.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    x: ArrayView2<'a, f32>,
    y: ArrayView2<'a, f32>,
    labels: Option<&'a [u32]>,
}

impl<'a> Pairs<'a> {
    /// Pairs the rows of `x` and `y`.
    ///
    /// # Shapes
    /// `x` is `(n, d_x)`, `y` is `(n, d_y)`.
    ///
    /// # Errors
    /// [`Error::Pairs`] if the numbers of rows differ, a side has no column, or there are fewer than 2 rows.
    pub fn new(x: ArrayView2<'a, f32>, y: ArrayView2<'a, f32>) -> Result<Self> {
        let refuse = |reason| Err(Error::Pairs { reason });
        let ((n, x_columns), (y_rows, y_columns)) = (x.dim(), y.dim());
        if n != y_rows {
            return refuse(format!(
                "x has {n} rows and y has {y_rows}; give x and y the same number of rows"
            ));
        }
        if x_columns == 0 || y_columns == 0 {
            return refuse("x and y need at least one column each".to_owned());
        }
        if n < 2 {
            return refuse(format!("{n} rows are too few; give at least 2"));
        }
        Ok(Self { x, y, labels: None })
    }

    /// Attaches one label to each row of `x`. Rows with equal labels count as the same value of `x`, which is
    /// then a discrete variable.
    ///
    /// In exact arithmetic, different contexts give different states. In `f32`, two contexts can round to the
    /// same state when attention falls almost entirely on one token. Such a collision is not a property of
    /// the model, so `channel` groups rows by the label of the context. `plugin` treats labelled rows as
    /// discrete values even if most of them occur once. Other estimators ignore the labels.
    ///
    /// # Errors
    /// [`Error::Pairs`] if the number of labels differs from the number of rows.
    pub fn with_labels(self, labels: &'a [u32]) -> Result<Self> {
        let n = self.n();
        if labels.len() != n {
            let count = labels.len();
            let reason = format!("there are {count} labels for {n} rows; give one label for each row");
            return Err(Error::Pairs { reason });
        }
        Ok(Self { labels: Some(labels), ..self })
    }

    /// Number of pairs.
    #[must_use]
    pub fn n(&self) -> usize {
        self.x.nrows()
    }

    /// The `x` side, `(n, d_x)`.
    #[must_use]
    pub fn x(&self) -> ArrayView2<'a, f32> {
        self.x
    }

    /// The `y` side, `(n, d_y)`.
    #[must_use]
    pub fn y(&self) -> ArrayView2<'a, f32> {
        self.y
    }

    /// The labels of the rows of `x`, if there are any.
    #[must_use]
    pub fn labels(&self) -> Option<&'a [u32]> {
        self.labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn rows_that_cannot_be_paired_and_sides_without_columns_are_refused() {
        let refused = |x: (usize, usize), y: (usize, usize)| {
            let (x, y) = (Array2::zeros(x), Array2::zeros(y));
            match Pairs::new(x.view(), y.view()) {
                Err(Error::Pairs { reason }) => reason,
                other => panic!("{other:?}"),
            }
        };
        assert!(refused((3, 1), (4, 1)).contains("x has 3 rows and y has 4"));
        assert!(refused((3, 0), (3, 1)).contains("at least one column"));
        assert!(refused((3, 1), (3, 0)).contains("at least one column"));
        assert!(refused((1, 1), (1, 1)).contains("too few"));
        assert!(refused((0, 1), (0, 1)).contains("too few"));
    }

    #[test]
    fn there_is_a_label_for_every_row_or_none() {
        let x = Array2::zeros((3, 1));
        let pairs = Pairs::new(x.view(), x.view()).expect("pairs");
        assert!(pairs.with_labels(&[1, 2]).is_err());
        assert_eq!(pairs.with_labels(&[1, 2, 1]).expect("labels").labels(), Some(&[1, 2, 1][..]));
    }
}
