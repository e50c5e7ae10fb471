//! The training sample as arrays, and the predictors of one row. Every fold is a subset of the sample.

use ndarray::{Array2, Axis};

use crate::numeric::statistics::weighted_mean;

/// Minimum number of models for a calibration.
pub const LEAST_MODELS: usize = 5;

/// Rows with a known response.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Name of each row's model. A fold never has rows of one model in both training and test.
    pub models: Vec<String>,
    /// Family of each row's model; empty where it is unknown.
    pub families: Vec<String>,
    /// Log10 of each model's size; NaN where unknown.
    pub log10_sizes: Vec<f64>,
    /// The proxy's value for each row, if there are proxies.
    pub proxies: Option<Vec<ProxyValue>>,
    /// Features, `(n, p)`; NaN where missing.
    pub x: Array2<f64>,
    /// The response: the column that is to be predicted.
    pub y: Vec<f64>,
    /// Weight of each row: 1 over the number of rows of its model, times the user's weight.
    pub weights: Vec<f64>,
}

/// The response of a proxy: a small model that is measured in place of the model to be estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProxyValue {
    /// The proxy's value, in the unit of the response.
    pub value: f64,
    /// Log10 of the ratio of the model's size to the proxy's size; 0 if sizes are not given.
    pub log10_ratio: f64,
}

impl Sample {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// The rows at some indices.
    #[must_use]
    pub fn subset(&self, rows: &[usize]) -> Self {
        let pick = |values: &[f64]| rows.iter().map(|&at| values[at]).collect();
        let names = |values: &[String]| rows.iter().map(|&at| values[at].clone()).collect();
        Self {
            models: names(&self.models),
            families: names(&self.families),
            log10_sizes: pick(&self.log10_sizes),
            proxies: self.proxies.as_ref().map(|proxies| rows.iter().map(|&at| proxies[at]).collect()),
            x: self.x.select(Axis(0), rows),
            y: pick(&self.y),
            weights: pick(&self.weights),
        }
    }

    /// The predictors of one row.
    pub fn predictors(&self, row: usize) -> Predictors {
        let known = |value: f64| value.is_finite().then_some(value);
        Predictors {
            x: self.x.row(row).iter().map(|value| known(*value)).collect(),
            log10_size: known(self.log10_sizes[row]),
            proxy: self.proxies.as_ref().map(|proxies| proxies[row]),
            family: self.families[row].clone(),
        }
    }

    /// Whether every family is known and has one model.
    pub fn is_one_model_per_family(&self) -> bool {
        self.n_without_family() == 0 && self.known_families().len() == distinct(&self.models).len()
    }

    /// Distinct families in sorted order.
    pub fn known_families(&self) -> Vec<String> {
        distinct(&self.families).into_iter().filter(|family| !family.is_empty()).collect()
    }

    /// Number of rows of unknown family.
    pub fn n_without_family(&self) -> usize {
        self.families.iter().filter(|family| family.is_empty()).count()
    }

    /// The cluster within which errors are correlated: the family of a row, or its model if the family is
    /// unknown.
    pub fn cluster_id(&self, row: usize) -> &str {
        if self.families[row].is_empty() { &self.models[row] } else { &self.families[row] }
    }

    /// Weighted mean of the response.
    pub fn mean(&self) -> f64 {
        weighted_mean(&self.y, &self.weights)
    }
}

/// Everything that is known about a row except its response.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictors {
    /// Features in the order of the card, `None` where missing.
    pub x: Vec<Option<f64>>,
    /// Log10 of the size, where known.
    pub log10_size: Option<f64>,
    /// The proxy's value, where known.
    pub proxy: Option<ProxyValue>,
    /// The family; empty where it is unknown.
    pub family: String,
}

/// Distinct names in sorted order.
pub(crate) fn distinct(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names
}
