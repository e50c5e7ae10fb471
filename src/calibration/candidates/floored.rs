//! Regressions with a floor: `y = floor + (1 - floor) sigmoid(a + b . z)`. Guessing among `k` choices is
//! right with probability `1 / k`, which is the floor of the sigmoid. A few floors up to the smallest
//! response are tried. The floor with the smallest error on left-out families inside the training set is
//! used.

use std::sync::Arc;

use ndarray::{Array2, Axis, s};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::{PRIOR, fractional_logistic};
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::folds::{Fold, by_cluster};
use crate::calibration::table::link::sigmoid;
use crate::error::Result;

/// Floors to try, as shares of the highest possible floor.
const SHARES: [f64; 3] = [0.5, 0.85, 0.98];
/// The highest floor: the accuracy of guessing between two choices.
pub(super) const HIGHEST_FLOOR: f64 = 0.5;
/// If the smallest response is below this share, a floor would change little, and the candidate is not
/// fitted.
const LEAST_FLOOR: f64 = 0.03;
const INNER_FOLDS: usize = 3;
const LEAST_ROWS: usize = 8;

/// The columns of the regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// Only the log10 size.
    Size,
    /// All features.
    Features,
    /// All features and the log10 size.
    FeaturesAndSize,
    /// The first principal components.
    Components(usize),
}

/// A fractional logistic regression above a floor, for responses with two bounds.
#[derive(Debug)]
pub(super) struct Floored {
    pub(super) name: &'static str,
    pub(super) columns: Columns,
    pub(super) complexity: u32,
}

impl Candidate for Floored {
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
        self.of(train, None)
    }

    fn fit_part(&self, train: &TrainingSet, whole: &dyn FittedModel) -> Result<Option<Arc<dyn FittedModel>>> {
        let whole = (whole as &dyn std::any::Any).downcast_ref::<LinearModel>();
        self.of(train, whole.map(|whole| whole.floor))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

impl Floored {
    /// The regression above the floor `given`, or above the floor with the smallest error.
    fn of(&self, train: &TrainingSet, given: Option<f64>) -> Result<Option<Arc<dyn FittedModel>>> {
        let (Some(shares), Some(z)) = (train.shares(), self.columns.of(train)) else { return Ok(None) };
        let least = shares.iter().copied().fold(1.0, f64::min).min(HIGHEST_FLOOR);
        let n = train.sample.len();
        if n < LEAST_ROWS.max(z.ncols().min(4) + 4) || (given.is_none() && least < LEAST_FLOOR) {
            return Ok(None);
        }
        let problem = Problem { z: &z, shares: &shares, weights: &train.sample.weights };
        let floor = match given {
            Some(floor) => Some(floor),
            None => problem.choose(least, &by_cluster(train.sample, INNER_FOLDS))?,
        };
        let Some(floor) = floor else { return Ok(None) };
        let line = problem.line(floor, &(0..n).collect::<Vec<_>>())?;
        let model = self.columns.model(train, &line);
        Ok(Some(Arc::new(LinearModel { floor, penalty: PRIOR, ..model })))
    }
}

struct Problem<'a> {
    z: &'a Array2<f64>,
    shares: &'a [f64],
    weights: &'a [f64],
}

impl Problem<'_> {
    /// Constant and slopes of the regression above a floor, on some rows.
    fn line(&self, floor: f64, rows: &[usize]) -> Result<Vec<f64>> {
        let above = |&i: &usize| ((self.shares[i] - floor) / (1.0 - floor)).clamp(0.0, 1.0);
        let above: Vec<f64> = rows.iter().map(above).collect();
        let weights: Vec<f64> = rows.iter().map(|&i| self.weights[i]).collect();
        fractional_logistic(&self.z.select(Axis(0), rows), &above, &weights, PRIOR)
    }

    /// The floor with the smallest error over the folds; `None` if there are fewer than two folds.
    fn choose(&self, least: f64, folds: &[Fold]) -> Result<Option<f64>> {
        if folds.len() < 2 {
            return Ok(None);
        }
        let mut losses = [0.0; SHARES.len()];
        for fold in folds {
            for (share, loss) in SHARES.iter().zip(&mut losses) {
                let floor = share * least;
                let line = self.line(floor, &fold.train)?;
                for &i in &fold.test {
                    let along: f64 = self.z.row(i).iter().zip(&line[1..]).map(|(z, b)| z * b).sum();
                    let y_hat = floor + (1.0 - floor) * sigmoid(line[0] + along);
                    *loss += self.weights[i] * (y_hat - self.shares[i]).abs();
                }
            }
        }
        let best = (0..SHARES.len()).fold(0, |best, at| if losses[at] < losses[best] { at } else { best });
        Ok(Some(SHARES[best] * least))
    }
}

impl Columns {
    /// The standardised columns, `(n, d)`; `None` if the training set does not have them.
    pub(super) fn of(self, train: &TrainingSet) -> Option<Array2<f64>> {
        let p = train.x.ncols();
        match self {
            Self::Size => train.has_sizes().then(|| train.inputs(true).slice(s![.., p..]).to_owned()),
            Self::Features => (p > 0).then(|| train.inputs(false)),
            Self::FeaturesAndSize => (p > 0 && train.has_sizes()).then(|| train.inputs(true)),
            Self::Components(k) => {
                let spread = train.basis.variances.get(..k)?;
                let scores = train.scores.slice(s![.., ..k]);
                Some(Array2::from_shape_fn(scores.dim(), |(i, a)| scores[[i, a]] / spread[a].sqrt()))
            }
        }
    }

    /// The linear model with the constant and the slopes `line` on these columns.
    pub(super) fn model(self, train: &TrainingSet, line: &[f64]) -> LinearModel {
        let basis = &train.basis;
        let parameters = DegreesOfFreedom::Parameters(line.len());
        let with_size = |model: LinearModel, slope: f64| {
            let size = slope / basis.log10_size_sd;
            LinearModel { intercept: model.intercept - size * basis.log10_size, size, ..model }
        };
        let model = match self {
            Self::Size => {
                let constant = LinearModel::without_features(train.x.ncols());
                with_size(LinearModel { intercept: line[0], ..constant }, line[1])
            }
            Self::Features => LinearModel::on_scaled_features(train, line[0], &line[1..], &basis.sd),
            Self::FeaturesAndSize => {
                let last = line.len() - 1;
                let model = LinearModel::on_scaled_features(train, line[0], &line[1..last], &basis.sd);
                with_size(model, line[last])
            }
            Self::Components(k) => {
                let slopes: Vec<f64> = line[1..]
                    .iter()
                    .zip(&basis.variances[..k])
                    .map(|(b, variance)| b / variance.sqrt())
                    .collect();
                LinearModel::on_components(train, line[0], &slopes)
            }
        };
        LinearModel { degrees_of_freedom: parameters, ..model }
    }
}
