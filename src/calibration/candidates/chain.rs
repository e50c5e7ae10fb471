//! The chained law: scale predicts a loss, and the loss predicts the target (Gadre et al. 2024, "Language
//! models scale reliably with over-training and on downstream tasks"; Bhagia et al. 2024, "Establishing Task
//! Scaling Laws via Compute-Efficient Model Ladders").
//!
//! The loss is the feature that correlates most with the target, among the features that decrease with log10
//! size. If a row lacks this feature, the feature is imputed with its conditional mean under the factor model
//! of features and size. This imputation is the first step of the chain.

use std::sync::Arc;

use ndarray::{Axis, s};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::PRIOR;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::error::Result;
use crate::numeric::statistics::{complete_pairs, pearson};

const LEAST_ROWS: usize = 8;
/// Minimum absolute correlation of a loss with the log10 size.
const LEAST_CORRELATION: f64 = 0.3;

/// The regression `eta = a + b loss`, where `eta` is the response on the scale of the link.
#[derive(Debug)]
pub(super) struct Chain;

impl Candidate for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        46
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let p = train.x.ncols();
        if p == 0 || !train.has_sizes() || train.sample.len() < LEAST_ROWS {
            return Ok(None);
        }
        let z = train.standardised();
        let column = |j: usize| z.column(j).to_vec();
        let eta = train.eta.to_vec();
        let strength = |j: usize| pearson(&column(j), &eta).abs();
        let sizes = &train.sample.log10_sizes;
        let falls = |j: usize| {
            let (values, known_sizes) = complete_pairs(&column(j), sizes);
            pearson(&values, &known_sizes) <= -LEAST_CORRELATION
        };
        let losses = (0..p).filter(|&j| falls(j));
        let Some(loss) = losses.max_by(|&a, &b| strength(a).total_cmp(&strength(b)).then(b.cmp(&a))) else {
            return Ok(None);
        };
        let line = train.regress(&z.slice(s![.., loss]).insert_axis(Axis(1)).to_owned(), PRIOR)?;
        let mut slopes = vec![0.0; p];
        slopes[loss] = line[1];
        let model = LinearModel::on_scaled_features(train, line[0], &slopes, &train.basis.sd);
        let degrees_of_freedom = DegreesOfFreedom::Parameters(2);
        Ok(Some(Arc::new(LinearModel { penalty: PRIOR, degrees_of_freedom, ..model })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}
