//! The fitted model of most candidates: linear on the scale of the link.
//!
//! `eta = intercept + coefficients . x + size * log10(size) + proxy * link(proxy) + ratio * log10(size
//! ratio)`, `y = link^-1(eta; floor)`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FittedModel;
use super::basis::Basis;
use super::training_set::{FeatureSpectrum, TrainingSet};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;

/// How the degrees of freedom of a linear model are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DegreesOfFreedom {
    /// The number of fitted parameters, including the constant.
    Parameters(usize),
    /// The degrees of freedom of ridge regression: 1 for the constant, plus the sum of `n e / (n e +
    /// penalty)` over the principal axes, where `e` is the variance along the axis.
    Ridge,
}

/// A model that is linear on the scale of the link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinearModel {
    /// Value of the linear predictor if all other terms are 0.
    pub intercept: f64,
    /// Coefficient of each feature, in its own unit.
    pub coefficients: Vec<f64>,
    /// Coefficient of log10 size.
    pub size: f64,
    /// Coefficient of the proxy's value on the scale of the link.
    pub proxy: f64,
    /// Coefficient of the log10 size ratio of model and proxy.
    pub ratio: f64,
    /// Lower bound of the predicted shares, for example the share that guessing reaches; 0 without a floor.
    pub floor: f64,
    /// Strength of the penalty; 0 if there is no penalty.
    pub penalty: f64,
    /// How the degrees of freedom are counted.
    pub degrees_of_freedom: DegreesOfFreedom,
}

impl LinearModel {
    /// The model whose linear predictor is always 0, for a training set with `p` features.
    pub(super) fn without_features(p: usize) -> Self {
        Self {
            intercept: 0.0,
            coefficients: vec![0.0; p],
            size: 0.0,
            proxy: 0.0,
            ratio: 0.0,
            floor: 0.0,
            penalty: 0.0,
            degrees_of_freedom: DegreesOfFreedom::Parameters(1),
        }
    }

    /// The model with these slopes on features that are centred and divided by `divisor`.
    pub(super) fn on_scaled_features(
        train: &TrainingSet,
        intercept: f64,
        slopes: &[f64],
        divisor: &[f64],
    ) -> Self {
        let coefficients: Vec<f64> = slopes.iter().zip(divisor).map(|(c, d)| c / d).collect();
        let shift: f64 = coefficients.iter().zip(&train.basis.centre).map(|(c, m)| c * m).sum();
        Self { intercept: intercept - shift, coefficients, ..Self::without_features(train.x.ncols()) }
    }

    /// The model with these slopes on the scores of the first principal components.
    pub(super) fn on_components(train: &TrainingSet, intercept: f64, slopes: &[f64]) -> Self {
        let components = &train.basis.components;
        let slope = |j: usize| components.iter().zip(slopes).map(|(component, c)| component[j] * c).sum();
        let on_features: Vec<f64> = (0..train.x.ncols()).map(slope).collect();
        Self::on_scaled_features(train, intercept, &on_features, &train.basis.divisor)
    }

    pub(super) fn restore(parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>> {
        serde_json::from_value::<Self>(parameters).map(|model| -> Arc<dyn FittedModel> { Arc::new(model) })
    }
}

impl FittedModel for LinearModel {
    fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64 {
        let along: f64 = self.coefficients.iter().zip(x).map(|(c, value)| c * value).sum();
        let mut eta = self.intercept + along;
        if self.size != 0.0 {
            eta += self.size * basis.complete_size(predictors);
        }
        if let Some(proxy) = predictors.proxy {
            eta += self.proxy * link.apply(proxy.value) + self.ratio * proxy.log10_ratio;
        }
        link.invert(eta, self.floor)
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> Result<(), String> {
        match self.coefficients.len() {
            n if n == p => Ok(()),
            n => Err(format!("coefficients has {n} numbers, but {p} are expected")),
        }
    }

    fn is_finite(&self) -> bool {
        let others = [self.intercept, self.size, self.proxy, self.ratio, self.floor, self.penalty];
        self.coefficients.iter().chain(&others).all(|value| value.is_finite())
    }

    fn feature_importance(&self, basis: &Basis) -> Vec<f64> {
        self.coefficients.iter().zip(&basis.sd).map(|(c, sd)| (c * sd).abs()).collect()
    }

    fn needs_proxy(&self) -> bool {
        self.proxy != 0.0
    }

    fn uses_size(&self) -> bool {
        self.size != 0.0
    }

    fn effective_dof(&self, spectrum: &FeatureSpectrum) -> Option<f64> {
        Some(match self.degrees_of_freedom {
            DegreesOfFreedom::Parameters(n) => n as f64,
            DegreesOfFreedom::Ridge => {
                let n = spectrum.n as f64;
                1.0 + spectrum.eigenvalues.iter().map(|e| n * e / (n * e + self.penalty)).sum::<f64>()
            }
        })
    }
}
