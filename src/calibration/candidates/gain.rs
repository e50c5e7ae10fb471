//! Predicts the gain of a model over its proxy, the small model that was measured in its place. The
//! difference between the responses of the two models is a linear function of the log of their size ratio.

use std::sync::Arc;

use ndarray::{Array1, Array2};
use serde_json::Value;

use super::linear::{DegreesOfFreedom, LinearModel};
use super::regression::least_squares;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::sample::ProxyValue;
use crate::error::Result;

/// Minimum number of rows.
const LEAST_ROWS: usize = 4;
/// Ratios that differ by less than this count as equal.
const SAME: f64 = 1e-9;

/// `eta(model) - eta(proxy) = b log10(size ratio)`. The line passes through 0, because a model of the proxy's
/// own size has no gain. This determines the slope even if all size ratios are about equal.
#[derive(Debug)]
pub(super) struct ProportionalGain;

impl Candidate for ProportionalGain {
    fn name(&self) -> &'static str {
        "gain-1"
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        20
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let Some(proxies) = proxies(train) else { return Ok(None) };
        let products = |f: &dyn Fn(&ProxyValue, f64) -> f64| -> f64 {
            let rows = proxies.iter().zip(gains(train, proxies)).zip(&train.sample.weights);
            rows.map(|((proxy, gain), weight)| weight * f(proxy, gain)).sum()
        };
        let square = products(&|proxy, _| proxy.log10_ratio.powi(2));
        if square < SAME {
            return Ok(None);
        }
        let ratio = products(&|proxy, gain| proxy.log10_ratio * gain) / square;
        let constant = LinearModel::without_features(train.x.ncols());
        Ok(Some(Arc::new(LinearModel { proxy: 1.0, ratio, ..constant })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

/// `eta(model) - eta(proxy) = a + b log10(size ratio)`; `b = 0` if all ratios are equal.
#[derive(Debug)]
pub(super) struct Gain;

impl Candidate for Gain {
    fn name(&self) -> &'static str {
        "gain"
    }

    fn continues_trends(&self) -> bool {
        true
    }

    fn complexity(&self) -> u32 {
        30
    }

    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>> {
        let Some(proxies) = proxies(train) else { return Ok(None) };
        let spread = proxies.iter().any(|proxy| (proxy.log10_ratio - proxies[0].log10_ratio).abs() > SAME);
        let columns =
            Array2::from_shape_fn((proxies.len(), usize::from(spread)), |(i, _)| proxies[i].log10_ratio);
        let line = least_squares(&columns, &gains(train, proxies), &train.sample.weights, 0.0)?;
        let ratio = line.get(1).copied().unwrap_or_default();
        Ok(Some(Arc::new(LinearModel {
            intercept: line[0],
            proxy: 1.0,
            ratio,
            degrees_of_freedom: DegreesOfFreedom::Parameters(2),
            ..LinearModel::without_features(train.x.ncols())
        })))
    }

    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        LinearModel::restore(parameters)
    }
}

fn proxies<'a>(train: &TrainingSet<'a>) -> Option<&'a [ProxyValue]> {
    train.sample.proxies.as_deref().filter(|proxies| proxies.len() >= LEAST_ROWS)
}

/// Gains on the scale of the link.
fn gains(train: &TrainingSet, proxies: &[ProxyValue]) -> Array1<f64> {
    train.eta.iter().zip(proxies).map(|(eta, proxy)| eta - train.link.apply(proxy.value)).collect()
}
