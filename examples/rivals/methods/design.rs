//! The input of a rival: standardised features, log sizes, and the target.

use ndarray::{Array1, Array2};
use surmise::Result;

use crate::frame::Frame;
use crate::problem::Task;

/// Before the logit is taken, shares are kept at least this far from both ends of the range.
const NEAREST_TO_END: f64 = 0.005;

/// One task as the input of a rival. Features that are known in fewer than two fitted rows, or constant in
/// them, are left out. Log size is a feature if the table has sizes.
pub struct Setting {
    /// Features of the fitted rows, standardised.
    pub x: Array2<f64>,
    /// Targets of the fitted rows.
    pub y: Array1<f64>,
    /// Features of the rows to predict, on the scale of the fitted rows.
    pub asked: Array2<f64>,
    /// Log10 of the size of fitted rows and rows to predict, NaN if missing.
    pub sizes: Option<(Vec<f64>, Vec<f64>)>,
    /// Log10 of the training compute of fitted rows and rows to predict, NaN if missing.
    pub compute: Option<(Vec<f64>, Vec<f64>)>,
    range: (f64, f64),
}

impl Setting {
    /// The input for a task.
    ///
    /// # Errors
    /// Returns the errors of [`Frame::get`].
    pub fn new(task: &Task) -> Result<Self> {
        let (fitted, asked) = (task.fitted_rows()?, task.asked_rows());
        let y = task.frame.get(&task.target)?;
        let log10 = |column: Option<&'static str>| {
            column.map(|column| log10_of(&task.frame, column, &fitted, &asked)).transpose()
        };
        let (sizes, compute) = (log10(task.rivals.size)?, log10(task.rivals.compute)?);
        let mut columns = vec![];
        for feature in &task.rivals.features {
            let cells = task.frame.get(feature)?;
            let pick = |rows: &[usize]| rows.iter().map(|&row| cells[row]).collect::<Vec<f64>>();
            columns.extend(standard(pick(&fitted), pick(&asked)));
        }
        columns.extend(sizes.clone().and_then(|(fitted, asked)| standard(fitted, asked)));
        let matrix = |rows: usize, asked: bool| {
            Array2::from_shape_fn((rows, columns.len()), |(row, column)| {
                if asked { columns[column].1[row] } else { columns[column].0[row] }
            })
        };
        Ok(Self {
            x: matrix(fitted.len(), false),
            asked: matrix(asked.len(), true),
            y: fitted.iter().map(|&row| y[row]).collect(),
            sizes,
            compute,
            range: task.rivals.range,
        })
    }

    /// The logit of the targets within their range.
    pub fn logits(&self) -> Array1<f64> {
        let (low, high) = self.range;
        self.y.mapv(|y| {
            let share = ((y - low) / (high - low)).clamp(NEAREST_TO_END, 1.0 - NEAREST_TO_END);
            (share / (1.0 - share)).ln()
        })
    }

    /// The target with this logit.
    pub fn target_at(&self, logit: f64) -> f64 {
        let (low, high) = self.range;
        low + (high - low) / (1.0 + (-logit).exp())
    }
}

fn log10_of(frame: &Frame, column: &str, fitted: &[usize], asked: &[usize]) -> Result<(Vec<f64>, Vec<f64>)> {
    let cells = frame.get(column)?;
    let pick = |rows: &[usize]| rows.iter().map(|&row| cells[row].log10()).collect();
    Ok((pick(fitted), pick(asked)))
}

/// Standardises a column. Missing cells are filled with the median of the fitted rows.
fn standard(fitted: Vec<f64>, asked: Vec<f64>) -> Option<(Vec<f64>, Vec<f64>)> {
    let mut known: Vec<f64> = fitted.iter().copied().filter(|cell| !cell.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    if known.len() < 2 || known.first() == known.last() {
        return None;
    }
    let median = (known[(known.len() - 1) / 2] + known[known.len() / 2]) / 2.0;
    let fill = |cells: Vec<f64>| -> Vec<f64> {
        cells.into_iter().map(|cell| if cell.is_nan() { median } else { cell }).collect()
    };
    let (fitted, asked) = (fill(fitted), fill(asked));
    let n = fitted.len() as f64;
    let mean = fitted.iter().sum::<f64>() / n;
    let sd = (fitted.iter().map(|cell| (cell - mean).powi(2)).sum::<f64>() / n).sqrt();
    let scale = |cells: Vec<f64>| -> Vec<f64> { cells.into_iter().map(|cell| (cell - mean) / sd).collect() };
    Some((scale(fitted), scale(asked)))
}
