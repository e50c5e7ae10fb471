//! The mean, and lines in log size and in log training compute.

use linfa::Dataset;
use linfa::traits::Fit;
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

use super::{Rival, Setting};

/// The mean of the fitted rows.
pub struct Mean;

impl Rival for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn predict(&self, setting: &Setting) -> Option<Vec<f64>> {
        Some(vec![setting.y.mean()?; setting.asked.nrows()])
    }
}

/// A line in one column, on the target or on its logit. A row without a value in the column gets the mean of
/// the fitted targets.
pub struct Line {
    name: &'static str,
    by_compute: bool,
    is_logit: bool,
}

pub const SIZE_LINE: Line = Line { name: "size line", by_compute: false, is_logit: false };
pub const SIZE_LOGIT: Line = Line { name: "size logit", by_compute: false, is_logit: true };
pub const COMPUTE_LINE: Line = Line { name: "compute line", by_compute: true, is_logit: false };
pub const COMPUTE_LOGIT: Line = Line { name: "compute logit", by_compute: true, is_logit: true };

impl Rival for Line {
    fn name(&self) -> &'static str {
        self.name
    }

    fn predict(&self, setting: &Setting) -> Option<Vec<f64>> {
        let (fitted, asked) = if self.by_compute { &setting.compute } else { &setting.sizes }.as_ref()?;
        let targets = if self.is_logit { setting.logits() } else { setting.y.clone() };
        let (x, y): (Vec<f64>, Vec<f64>) =
            fitted.iter().zip(&targets).filter(|(x, _)| x.is_finite()).map(|(x, y)| (*x, *y)).unzip();
        let middle = x.iter().sum::<f64>() / x.len() as f64;
        let asked: Vec<f64> = asked.iter().map(|x| if x.is_finite() { *x } else { middle }).collect();
        let column = |cells: Vec<f64>| Array1::from(cells).insert_axis(ndarray::Axis(1));
        let predicted = least_squares(column(x), Array1::from(y), &column(asked))?;
        Some(predicted.into_iter().map(|y| if self.is_logit { setting.target_at(y) } else { y }).collect())
    }
}

/// Least squares; `None` for fewer than three rows, or for columns that do not determine a line.
pub fn least_squares(x: Array2<f64>, y: Array1<f64>, asked: &Array2<f64>) -> Option<Vec<f64>> {
    if y.len() < 3 {
        return None;
    }
    let line = LinearRegression::new().fit(&Dataset::new(x, y)).ok()?;
    Some(asked.outer_iter().map(|row| row.dot(line.params()) + line.intercept()).collect())
}
