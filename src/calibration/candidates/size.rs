//! Regression on log10 size, on the scale of the link: what a calibration on features has to beat.

use std::sync::Arc;

use ndarray::{Array1, Array2};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::{fractional_logistic, least_squares};
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel, Role};
use crate::error::Result;

/// Fewest rows of known size.
const LEAST_ROWS: usize = 3;

/// `eta = a + b log10(size)`, over the rows whose size is known.
#[derive(Debug)]
pub(super) struct Size;

impl Candidate for Size {
    fn name(&self) -> &'static str {
        "size"
    }

    fn role(&self) -> Role {
        Role::SizeBaseline
    }

    fn complexity(&self) -> u32 {
        10
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let sizes = &train.sample.log10_sizes;
        let known: Vec<usize> = (0..sizes.len()).filter(|&i| sizes[i].is_finite()).collect();
        let pick = |values: &[f64]| known.iter().map(|&i| values[i]).collect::<Vec<_>>();
        let columns = Array2::from_shape_fn((known.len(), 1), |(i, _)| sizes[known[i]]);
        let spread = columns.iter().any(|size| (size - columns[[0, 0]]).abs() > 1e-9);
        if known.len() < LEAST_ROWS || !spread {
            return Ok(None);
        }
        let weights = pick(&train.sample.weights);
        let line = match train.shares() {
            Some(shares) => fractional_logistic(&columns, &pick(&shares), &weights, 0.0)?,
            None => least_squares(&columns, &Array1::from(pick(&train.eta.to_vec())), &weights, 0.0)?,
        };
        Ok(Some(Arc::new(LinearModel {
            intercept: line[0],
            size: line[1],
            degrees_of_freedom: DegreesOfFreedom::Parameters(2),
            ..LinearModel::without_features(train.x.ncols())
        })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}
