//! Ridge regression on standardised features: an exact solution by linfa's least squares on augmented rows.
//! For a target with bounds, it is a fractional logistic regression with a weak prior. For a target without
//! bounds, the penalty is chosen by leaving out families inside the training set.

use std::sync::Arc;

use linfa_linalg::cholesky::SolveC;
use ndarray::{Array1, Array2, Axis};
use serde_json::Value;

use super::floored::Columns;
use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::PRIOR;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::folds::by_cluster;
use crate::error::{Error, Result};

/// Penalties to try, for `sum of squares + penalty |slopes|^2` on standardised features.
const PENALTIES: [f64; 7] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
/// Number of folds of families inside a training set.
const INNER_FOLDS: usize = 5;
const LEAST_ROWS: usize = 5;

/// Ridge regression on the features, or on the features and the log10 size.
#[derive(Debug)]
pub(super) struct Ridge {
    pub(super) name: &'static str,
    pub(super) columns: Columns,
    pub(super) complexity: u32,
}

impl Candidate for Ridge {
    fn name(&self) -> &'static str {
        self.name
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        self.complexity
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let Some(z) = self.columns.of(train).filter(|_| train.sample.len() >= LEAST_ROWS) else {
            return Ok(None);
        };
        let penalty = if train.link.is_bounded() { PRIOR } else { choose(train, &z)? };
        let line = train.regress(&z, penalty)?;
        Ok(Some(Arc::new(LinearModel {
            penalty,
            degrees_of_freedom: DegreesOfFreedom::Ridge,
            ..self.columns.model(train, &line)
        })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

/// The penalty with the smallest squared error over left-out families. The Gram matrix of each fold is
/// subtracted from the Gram matrix of all rows, so that each penalty costs one Cholesky solve. linfa makes
/// the final fit.
fn choose(train: &TrainingSet, z: &Array2<f64>) -> Result<f64> {
    let (n, p) = z.dim();
    let weights = &train.sample.weights;
    let gram = |rows: &[usize]| {
        let mut design = Array2::ones((rows.len(), p + 1));
        design.slice_mut(ndarray::s![.., 1..]).assign(&z.select(Axis(0), rows));
        let weighed = &design * &Array1::from_iter(rows.iter().map(|&i| weights[i])).insert_axis(Axis(1));
        let eta = train.eta.select(Axis(0), rows);
        (weighed.t().dot(&design), weighed.t().dot(&eta))
    };
    let (whole, moment) = gram(&(0..n).collect::<Vec<_>>());
    let folds = by_cluster(train.sample, INNER_FOLDS);
    if folds.len() < 2 {
        return Ok(1.0);
    }
    let mut losses = [0.0; PENALTIES.len()];
    for fold in &folds {
        let (part, piece) = gram(&fold.test);
        for (penalty, loss) in PENALTIES.iter().zip(&mut losses) {
            let mut left = &whole - &part;
            for j in 1..=p {
                left[[j, j]] += penalty;
            }
            let answer = (&moment - &piece).insert_axis(Axis(1));
            let slopes = left.solvec(&answer).map_err(|source| Error::Calibration {
                reason: format!("cannot choose the ridge penalty: {source}"),
            })?;
            for &i in &fold.test {
                let row = z.row(i);
                let along: f64 = row.iter().zip(slopes.column(0).iter().skip(1)).map(|(z, s)| z * s).sum();
                *loss += weights[i] * (train.eta[i] - slopes[[0, 0]] - along).powi(2);
            }
        }
    }
    let best = (0..PENALTIES.len()).fold(0, |best, at| if losses[at] < losses[best] { at } else { best });
    Ok(PENALTIES[best])
}
