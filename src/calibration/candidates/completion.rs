//! Completes the whole table, as BenchPress completes benchmark tables by a low-rank model (arXiv
//! 2606.24020). One factor model is fitted to the features and the response. The response is then regressed
//! on the expected factors given the known cells of each row. Shares are converted to logits first. A row may
//! lack any cell.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::basis::Basis;
use super::factor_model::FactorModel;
use super::regression::PRIOR;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;
use crate::error::Result;

const LEAST_ROWS: usize = 8;

/// A factor model of the table with a fixed number of factors.
#[derive(Debug)]
pub(super) struct Completion {
    pub(super) name: &'static str,
    pub(super) factors: usize,
}

/// The columns are the features, the log10 size (if `with_size`) and the response, in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct FittedCompletion {
    with_size: bool,
    /// Scale of each feature.
    links: Vec<Link>,
    /// Mean and standard deviation of each column on its scale.
    centre: Vec<f64>,
    spread: Vec<f64>,
    model: FactorModel,
    /// Regression of the response, on the scale of its link: a constant, and a slope for each factor.
    response: Vec<f64>,
}

/// The scale of a feature: a logit for shares and percentages, otherwise the feature itself.
fn scale_of(low: f64, high: f64) -> Link {
    match (low, high) {
        (low, high) if low >= 0.0 && high <= 1.0 => Link::Logit { low: 0.0, high: 1.0 },
        (low, high) if low >= 0.0 && high <= 100.0 && high > 20.0 => Link::Logit { low: 0.0, high: 100.0 },
        _ => Link::Identity,
    }
}

impl Candidate for Completion {
    fn name(&self) -> &'static str {
        self.name
    }

    fn complexity(&self) -> u32 {
        54 + self.factors as u32
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        Ok(self.of(train, None))
    }

    fn fit_part(&self, train: &TrainingSet, whole: &dyn FittedModel) -> Result<Option<Arc<dyn FittedModel>>> {
        let whole = (whole as &dyn std::any::Any).downcast_ref::<FittedCompletion>();
        Ok(self.of(train, whole.map(|whole| &whole.model)))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        serde_json::from_value::<FittedCompletion>(parameters)
            .map(|model| -> Arc<dyn FittedModel> { Arc::new(model) })
    }
}

impl Completion {
    /// Fits the model to a training set. The search starts from `near`, if given: the model of a larger
    /// training set that contains these rows.
    fn of(&self, train: &TrainingSet, near: Option<&FactorModel>) -> Option<Arc<dyn FittedModel>> {
        let (n, p) = train.sample.x.dim();
        let with_size = train.has_sizes();
        if n < LEAST_ROWS.max(4 * self.factors) || p + usize::from(with_size) < self.factors {
            return None;
        }
        let basis = &train.basis;
        let links: Vec<Link> = (0..p).map(|j| scale_of(basis.min[j], basis.max[j])).collect();
        let width = p + usize::from(with_size) + 1;
        let mut z = Array2::from_elem((n, width), f64::NAN);
        for i in 0..n {
            for j in 0..p {
                z[[i, j]] = applied(links[j], train.sample.x[[i, j]]);
            }
            if with_size {
                z[[i, p]] = train.sample.log10_sizes[i];
            }
            z[[i, width - 1]] = train.eta[i];
        }
        let (mut centre, mut spread) = (vec![0.0; width], vec![1.0; width]);
        for (j, mut column) in z.columns_mut().into_iter().enumerate() {
            let known: Vec<f64> = column.iter().copied().filter(|value| value.is_finite()).collect();
            if known.is_empty() {
                continue;
            }
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            let sd = (known.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / known.len() as f64).sqrt();
            (centre[j], spread[j]) = (mean, if sd > 1e-12 { sd } else { 1.0 });
            column.mapv_inplace(|value| (value - mean) / spread[j]);
        }
        let model = FactorModel::fit(&z, &train.sample.weights, self.factors, near);
        z.column_mut(width - 1).fill(f64::NAN);
        let factors: Vec<f64> =
            z.outer_iter().flat_map(|row| model.means(&model.factors(row.iter().copied()))).collect();
        let factors = Array2::from_shape_vec((n, self.factors), factors).ok()?;
        let penalty = if train.link.is_bounded() { PRIOR } else { 1e-3 };
        let response = train.regress(&factors, penalty).ok()?;
        Some(Arc::new(FittedCompletion { with_size, links, centre, spread, model, response }))
    }
}

/// A cell on the scale of its link. Missing cells stay missing.
fn applied(link: Link, value: f64) -> f64 {
    if value.is_finite() { link.apply(value) } else { f64::NAN }
}

impl FittedModel for FittedCompletion {
    fn predict(&self, _: &[f64], predictors: &Predictors, _: &Basis, link: Link) -> f64 {
        let features =
            predictors.x.iter().zip(&self.links).map(|(x, link)| applied(*link, x.unwrap_or(f64::NAN)));
        let size = self.with_size.then(|| predictors.log10_size.unwrap_or(f64::NAN));
        let cells = features.chain(size).enumerate();
        let scaled = cells.map(|(j, value)| (value - self.centre[j]) / self.spread[j]);
        let factors = self.model.means(&self.model.factors(scaled));
        let along: f64 = self.response[1..].iter().zip(factors).map(|(slope, f)| slope * f).sum();
        link.invert(self.response[0] + along, 0.0)
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> std::result::Result<(), String> {
        let width = p + usize::from(self.with_size) + 1;
        let FactorModel { mean, loadings, noise } = &self.model;
        let lengths = [self.links.len() + width - p, self.centre.len(), self.spread.len(), mean.len()];
        let lengths = lengths.into_iter().chain([loadings.len(), noise.len()]);
        if let Some(length) = lengths.into_iter().find(|length| *length != width) {
            return Err(format!("model has {length} columns, but {width} are expected"));
        }
        let k = loadings[0].len();
        if k > super::factor_model::MOST_FACTORS || loadings.iter().any(|row| row.len() != k) {
            return Err("model.loadings has rows of different lengths, or rows with too many numbers".into());
        }
        if self.spread.iter().chain(noise).any(|value| *value <= 0.0) {
            return Err("model contains a variance that is not above 0".into());
        }
        Ok(())
    }

    fn is_finite(&self) -> bool {
        let FactorModel { mean, loadings, noise } = &self.model;
        let own = self.centre.iter().chain(&self.spread);
        own.chain(mean).chain(noise).chain(loadings.iter().flatten()).all(|value| value.is_finite())
    }

    fn feature_importance(&self, basis: &Basis) -> Vec<f64> {
        let FactorModel { loadings, noise, .. } = &self.model;
        let of = |j: usize| loadings[j].iter().map(|l| l * l).sum::<f64>() / noise[j];
        (0..basis.sd.len()).map(of).collect()
    }

    fn uses_size(&self) -> bool {
        self.with_size
    }
}
