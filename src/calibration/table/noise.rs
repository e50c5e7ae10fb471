//! The measurement error of the response: the part of a calibration's error that no regression can remove.

use serde::{Deserialize, Serialize};

use super::tidy::Table;
use crate::error::Result;

/// Standard errors of the response itself, for example over seeds or items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResponseNoise {
    /// The column of the standard errors.
    pub column: String,
    /// Number of rows with a known standard error.
    pub n: usize,
    /// Root mean square of the standard errors, in the unit of the response.
    pub rms: f64,
}

impl ResponseNoise {
    /// Reads the standard errors of a column; `None` if the column is empty.
    ///
    /// # Errors
    /// [`Error::Csv`](crate::Error::Csv) if a cell is not a number or is below 0.
    pub(crate) fn of(known: &Table, column: &str) -> Result<Option<Self>> {
        let cells = known.numbers(column)?;
        if let Some(row) = cells.iter().position(|cell| cell.is_some_and(|value| value < 0.0)) {
            return Err(known.fault(
                row,
                format!(
                    "column {column} contains a standard error below 0; correct it, or leave the cell empty"
                ),
            ));
        }
        let squares: Vec<f64> = cells.into_iter().flatten().map(|value| value * value).collect();
        let n = squares.len();
        let rms = (squares.iter().sum::<f64>() / n as f64).sqrt();
        Ok((n > 0).then(|| Self { column: column.into(), n, rms }))
    }
}
