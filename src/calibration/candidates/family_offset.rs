//! A regression plus an offset for each training family, on the scale of the link. The offset is the
//! efficiency of the family (Polo and others 2024, arXiv 2412.06540). It is the mean residual of the family,
//! shrunk by the ratio of the variances within and between families (the empirical best linear unbiased
//! predictor). A new family has no offset.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::basis::Basis;
use super::fitted::FittedCandidate;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;
use crate::error::Result;

/// Minimum number of families. At least two of them must have two or more rows.
const LEAST_FAMILIES: usize = 3;

/// A candidate with an offset for each family.
#[derive(Debug)]
pub(super) struct FamilyOffset {
    pub(super) name: &'static str,
    pub(super) base: &'static dyn Candidate,
    pub(super) complexity: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FittedOffsets {
    base: FittedCandidate,
    offsets: BTreeMap<String, f64>,
}

/// Residuals of one family: number, weight, weighted sum, weighted sum of squares.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f64,
    weight: f64,
    sum: f64,
    square: f64,
}

impl Candidate for FamilyOffset {
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
        let Some(base) = FittedCandidate::fit(self.base, train)? else { return Ok(None) };
        let mut families: BTreeMap<String, Sums> = BTreeMap::new();
        for i in 0..train.sample.len() {
            let predictors = train.sample.predictors(i);
            let y_hat = base.predict(&train.x.row(i).to_vec(), &predictors, &train.basis, train.link);
            let residual = train.eta[i] - train.link.apply(y_hat);
            if !predictors.family.is_empty() && residual.is_finite() {
                let sums = families.entry(predictors.family).or_default();
                let weight = train.sample.weights[i];
                sums.n += 1.0;
                sums.weight += weight;
                sums.sum += weight * residual;
                sums.square += weight * residual * residual;
            }
        }
        let repeated = families.values().filter(|sums| sums.n >= 2.0).count();
        if families.len() < LEAST_FAMILIES || repeated < 2 {
            return Ok(None);
        }
        let ratio = variance_ratio(&families);
        let offsets = families.into_iter().map(|(family, sums)| {
            let shrunk = sums.n / (sums.n + ratio);
            (family, shrunk * sums.sum / sums.weight)
        });
        Ok(Some(Arc::new(FittedOffsets { base, offsets: offsets.collect() })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        serde_json::from_value::<FittedOffsets>(parameters)
            .map(|model| -> Arc<dyn FittedModel> { Arc::new(model) })
    }
}

/// The variance within families divided by the variance between them, by the method of moments. The ratio is
/// large if the mean residuals of the families are nearly equal.
fn variance_ratio(families: &BTreeMap<String, Sums>) -> f64 {
    let mean = |sums: &Sums| sums.sum / sums.weight;
    let within: f64 =
        families.values().map(|sums| sums.n * (sums.square / sums.weight - mean(sums).powi(2))).sum();
    let n: f64 = families.values().map(|sums| sums.n).sum();
    let k = families.len() as f64;
    let within = within / (n - k).max(1.0);
    let whole = families.values().map(|sums| sums.n * mean(sums)).sum::<f64>() / n;
    let between: f64 =
        families.values().map(|sums| sums.n * (mean(sums) - whole).powi(2)).sum::<f64>() / (k - 1.0);
    let squares: f64 = families.values().map(|sums| sums.n * sums.n).sum();
    let size = (n - squares / n) / (k - 1.0);
    let variance = ((between - within) / size).max(1e-3 * within.max(1e-12));
    (within / variance).clamp(0.05, 1e4)
}

impl FittedModel for FittedOffsets {
    fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64 {
        let y_hat = self.base.predict(x, predictors, basis, link);
        match self.offsets.get(&predictors.family) {
            Some(offset) => link.invert(link.exact(y_hat) + offset, 0.0),
            None => y_hat,
        }
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> std::result::Result<(), String> {
        self.base.model().check(p)
    }

    fn is_finite(&self) -> bool {
        self.base.model().is_finite() && self.offsets.values().all(|offset| offset.is_finite())
    }

    fn feature_importance(&self, basis: &Basis) -> Vec<f64> {
        self.base.model().feature_importance(basis)
    }

    fn needs_proxy(&self) -> bool {
        self.base.model().needs_proxy()
    }

    fn uses_size(&self) -> bool {
        self.base.model().uses_size()
    }
}
