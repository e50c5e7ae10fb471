//! The mean of the training responses: the baseline that any calibration must beat.

use std::sync::Arc;

use serde_json::Value;

use super::linear::LinearModel;
use super::training_set::TrainingSet;
use super::{Candidate, CandidateRole, FittedModel};
use crate::error::Result;
use crate::numeric::statistics::weighted_mean;

/// The weighted mean, in the unit of the response.
#[derive(Debug)]
pub(super) struct Mean;

impl Candidate for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn role(&self) -> CandidateRole {
        CandidateRole::MeanBaseline
    }

    fn complexity(&self) -> u32 {
        0
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let mean = weighted_mean(&train.sample.y, &train.sample.weights);
        let constant = LinearModel::without_features(train.x.ncols());
        Ok(Some(Arc::new(LinearModel { intercept: train.link.exact(mean), ..constant })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}
