//! Compares the errors of predictions with the errors of the baselines on the same rows.

use serde::Serialize;

use super::row::PredictionRow;
use crate::numeric::statistics::mean;

/// A row that was predicted or refused, with its measurement and its baselines.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outcome {
    /// The prediction; `None` if the row was refused.
    pub predicted: Option<f64>,
    /// The interval of the prediction.
    pub interval: Option<(f64, f64)>,
    /// The measured value; `None` if it is unknown or must not count for the error.
    pub measured: Option<f64>,
    /// Prediction of the regression on log10 size.
    pub size_line: Option<f64>,
    /// Prediction of the mean baseline: the mean of the training responses.
    pub mean: Option<f64>,
}

/// If the card was trained on the model of a row, the outcome has no measured value, so that the row does not
/// count for the error.
impl From<&PredictionRow> for Outcome {
    fn from(row: &PredictionRow) -> Self {
        Self {
            predicted: row.y_hat,
            interval: row.low.zip(row.high),
            measured: row.judged_by(),
            size_line: row.baseline_size,
            mean: row.baseline_mean,
        }
    }
}

impl Outcome {
    /// Whether the interval contains the measurement, if both are known.
    pub fn is_inside(&self) -> Option<bool> {
        let (low, high) = self.interval?;
        Some((low..=high).contains(&self.measured?))
    }
}

/// Mean absolute errors over the rows that are both predicted and measured, in `unit`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ErrorSummary {
    /// Unit of the errors.
    pub unit: String,
    /// Number of rows.
    pub n: usize,
    /// Number of rows with a prediction.
    pub n_predicted: usize,
    /// Number of predicted rows with an interval and a measurement.
    pub n_intervals: usize,
    /// Number of predicted rows whose interval contains the measurement.
    pub n_inside: usize,
    /// Mean absolute error of the predictions; `None` if no row is both predicted and measured.
    pub mae: Option<f64>,
    /// Mean absolute error of the regression on log10 size; `None` if a row that is predicted and measured
    /// has no prediction of this regression.
    pub size_line_mae: Option<f64>,
    /// Mean absolute error of the mean baseline; `None` if a row that is predicted and measured has no
    /// prediction of this baseline.
    pub mean_mae: Option<f64>,
}

impl ErrorSummary {
    /// Summarises the rows.
    pub fn new(unit: &str, rows: &[Outcome]) -> Self {
        let predicted: Vec<&Outcome> = rows.iter().filter(|row| row.predicted.is_some()).collect();
        let inside: Vec<bool> = predicted.iter().filter_map(|row| row.is_inside()).collect();
        let error = |value: fn(&Outcome) -> Option<f64>| {
            let measured = predicted.iter().filter_map(|row| Some((value(row), row.measured?)));
            let errors: Option<Vec<f64>> =
                measured.map(|(value, measured)| Some((value? - measured).abs())).collect();
            errors.filter(|errors| !errors.is_empty()).map(|errors| mean(&errors))
        };
        Self {
            unit: unit.into(),
            n: rows.len(),
            n_predicted: predicted.len(),
            n_intervals: inside.len(),
            n_inside: inside.iter().filter(|inside| **inside).count(),
            mae: error(|row| row.predicted),
            size_line_mae: error(|row| row.size_line),
            mean_mae: error(|row| row.mean),
        }
    }

    /// The summary as one sentence. `rows` is a name for the rows, such as "hidden members"; `level` is the
    /// level of their intervals.
    pub fn sentence(&self, rows: &str, level: f64) -> String {
        let number = |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value:.3}"));
        format!(
            "{} of {} {rows} predicted; mean absolute error, {}: calibration {}, size line {}, mean {}; {} \
             of {} measurements lie inside their {:.0} % interval.",
            self.n_predicted,
            self.n,
            self.unit,
            number(self.mae),
            number(self.size_line_mae),
            number(self.mean_mae),
            self.n_inside,
            self.n_intervals,
            100.0 * level
        )
    }

    /// The known errors, as a clause of a caption.
    pub fn errors(&self) -> Option<String> {
        let mut clause = format!("mean absolute error {:.3} {}", self.mae?, self.unit);
        for (name, error) in [("size line", self.size_line_mae), ("mean", self.mean_mae)] {
            if let Some(error) = error {
                clause.push_str(&format!(", {name} {error:.3}"));
            }
        }
        Some(clause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(predicted: Option<f64>, measured: Option<f64>, size_line: Option<f64>) -> Outcome {
        let interval = predicted.map(|value| (value - 0.5, value + 0.5));
        Outcome { predicted, interval, measured, size_line, mean: Some(1.0) }
    }

    #[test]
    fn errors_are_over_the_rows_that_are_predicted_and_measured() {
        let rows = [
            outcome(Some(1.0), Some(1.25), Some(2.25)),
            outcome(Some(2.0), Some(3.0), Some(3.5)),
            outcome(Some(9.0), None, None),
            outcome(None, Some(5.0), Some(0.0)),
        ];
        let summary = ErrorSummary::new("nats", &rows);
        assert_eq!((summary.n, summary.n_predicted), (4, 3));
        assert_eq!((summary.n_intervals, summary.n_inside), (2, 1));
        // The absolute errors are |1 - 1.25| and |2 - 3| for the predictions, |2.25 - 1.25| and |3.5 - 3| for
        // the size line, and |1 - 1.25| and |1 - 3| for the mean.
        assert_eq!(summary.mae, Some(0.625));
        assert_eq!((summary.size_line_mae, summary.mean_mae), (Some(0.75), Some(1.125)));
        let errors = "mean absolute error 0.625 nats, size line 0.750, mean 1.125";
        assert_eq!(summary.errors().as_deref(), Some(errors));
    }

    #[test]
    fn a_baseline_that_a_row_lacks_has_no_error_and_no_row_no_summary() {
        let rows = [outcome(Some(1.0), Some(1.25), None), outcome(Some(2.0), Some(3.0), Some(3.5))];
        assert_eq!(ErrorSummary::new("nats", &rows).size_line_mae, None);
        let none = ErrorSummary::new("nats", &[outcome(None, Some(1.0), Some(1.0))]);
        assert_eq!((none.mae, none.errors()), (None, None));
        assert!(none.sentence("rows", 0.9).starts_with("0 of 1 rows predicted; mean absolute error, nats"));
    }
}
