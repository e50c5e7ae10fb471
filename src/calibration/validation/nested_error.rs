//! Compares the errors of the whole procedure, including selection, with the errors of two constants. Errors
//! that were used for the selection are biased: among two dozen candidates that are fitted to noise, some
//! beat the mean by chance. The median is the second constant because it beats the mean if responses are
//! skewed.

use crate::calibration::intervals::skill::Skill;
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Sample;
use crate::numeric::statistics::{median, weighted_mean};

/// Predictions that use no feature: the mean and the median of the training responses.
pub(super) struct Constants {
    mean: f64,
    median: f64,
}

/// Absolute errors of one row: in the unit of the response, and on the scale of the link.
type Errors = [f64; 2];

/// The errors of one held-out row.
#[derive(Clone, Copy)]
pub(super) struct NestedError {
    own: Errors,
    mean: Errors,
    median: Errors,
}

impl Constants {
    pub(super) fn of(train: &Sample) -> Self {
        let mean = weighted_mean(&train.y, &train.weights);
        Self { mean, median: median(train.y.clone()).unwrap_or(mean) }
    }

    /// The errors of a row with response `y`. If there is no prediction, the mean is used instead.
    pub(super) fn error(&self, y_hat: Option<f64>, y: f64, link: Link) -> NestedError {
        let of = |y_hat: f64| [(y_hat - y).abs(), (link.apply(y_hat) - link.apply(y)).abs()];
        NestedError { own: of(y_hat.unwrap_or(self.mean)), mean: of(self.mean), median: of(self.median) }
    }
}

/// `1 - error / error of the better constant` over weighted rows; `None` if there are no rows.
pub(super) fn nested_skill(rows: impl Iterator<Item = (NestedError, f64)>) -> Option<Skill> {
    let (errors, weights): (Vec<NestedError>, Vec<f64>) = rows.unzip();
    let mean_of = |which: &dyn Fn(&NestedError) -> f64| {
        weighted_mean(&errors.iter().map(which).collect::<Vec<_>>(), &weights)
    };
    let pair = |scale: usize| {
        let best = mean_of(&|row| row.mean[scale]).min(mean_of(&|row| row.median[scale]));
        (mean_of(&|row| row.own[scale]), best)
    };
    (!errors.is_empty()).then(|| Skill::of(pair(0), pair(1)))
}
