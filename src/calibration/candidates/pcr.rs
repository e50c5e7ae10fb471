//! Principal component regression: regression on the first scores (Jolliffe 1982).

use std::sync::Arc;

use ndarray::{Array1, s};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::PRIOR;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::error::Result;

/// Number of rows needed in addition to the components: one for the constant, and two to estimate an error.
const ROWS_BEYOND: usize = 3;

/// Regression on a fixed number of components.
#[derive(Debug)]
pub(super) struct Pcr {
    pub(super) name: &'static str,
    pub(super) components: usize,
}

impl Candidate for Pcr {
    fn name(&self) -> &'static str {
        self.name
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        50 + self.components as u32
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let (n, k) = train.scores.dim();
        if k < self.components || n < self.components + ROWS_BEYOND {
            return Ok(None);
        }
        let spread: Vec<f64> = train.basis.variances[..self.components].iter().map(|v| v.sqrt()).collect();
        let scores = &train.scores.slice(s![.., ..self.components]) / &Array1::from(spread.clone());
        let penalty = if train.link.is_bounded() { PRIOR } else { 0.0 };
        let line = train.regress(&scores, penalty)?;
        let slopes: Vec<f64> = line[1..].iter().zip(&spread).map(|(b, sd)| b / sd).collect();
        Ok(Some(Arc::new(LinearModel {
            penalty,
            degrees_of_freedom: DegreesOfFreedom::Parameters(1 + self.components),
            ..LinearModel::on_components(train, line[0], &slopes)
        })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}
