//! Errors of the demonstration's predictions beside those of its baselines.

use crate::calibration::PredictionRow;

/// Mean absolute errors over the predicted rows, in nats; `None` if there are none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DemoSummary {
    /// Held-out rows.
    pub n: usize,
    /// Those with a prediction.
    pub n_predicted: usize,
    /// Those whose measurement lies in its interval.
    pub n_inside: usize,
    /// Error of the calibration.
    pub calibration_nats: Option<f64>,
    /// Error of the regression on log10 parameters, given the true size.
    pub size_line_nats: Option<f64>,
    /// Error of the mean of the models calibrated on.
    pub mean_nats: Option<f64>,
}

impl DemoSummary {
    pub(super) fn new(rows: &[PredictionRow]) -> Self {
        let predicted: Vec<&PredictionRow> = rows.iter().filter(|row| row.y_hat.is_some()).collect();
        let mean_error = |value: fn(&PredictionRow) -> Option<f64>| {
            let errors: Option<Vec<f64>> =
                predicted.iter().map(|row| Some((value(row)? - row.measured?).abs())).collect();
            errors
                .filter(|errors| !errors.is_empty())
                .map(|errors| errors.iter().sum::<f64>() / errors.len() as f64)
        };
        Self {
            n: rows.len(),
            n_predicted: predicted.len(),
            n_inside: predicted.iter().filter(|row| row.is_inside() == Some(true)).count(),
            calibration_nats: mean_error(|row| row.y_hat),
            size_line_nats: mean_error(|row| row.baseline_size),
            mean_nats: mean_error(|row| row.baseline_mean),
        }
    }

    /// The summary as one sentence.
    pub fn sentence(&self, level: f64) -> String {
        let nats = |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value:.3}"));
        format!(
            "{} of {} held-out rows predicted; mean absolute error, nats: calibration {}, size line {}, \
             mean {}; {} of {} measurements lie inside their {:.0} % interval.",
            self.n_predicted,
            self.n,
            nats(self.calibration_nats),
            nats(self.size_line_nats),
            nats(self.mean_nats),
            self.n_inside,
            self.n_predicted,
            100.0 * level
        )
    }
}
