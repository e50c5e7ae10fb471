//! The mean of the training targets: what any calibration has to beat.

use super::{Candidate, Formula, Train};
use crate::calibration::table::sample::weighted_mean;
use crate::error::Result;

/// The weighted mean on the scale of the target itself.
#[derive(Debug)]
pub(crate) struct Mean;

impl Candidate for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn fit(&self, train: &Train) -> Result<Option<Formula>> {
        let mean = weighted_mean(&train.sample.y, &train.sample.weights);
        Ok(Some(Formula { intercept: train.link.exact(mean), ..train.without_features() }))
    }
}
