//! Training rows as arrays: what every fold is a subset of.

use ndarray::{Array2, Axis};

/// Rows with a known target.
#[derive(Debug, Clone)]
pub struct Sample {
    /// What each row is an observation of, such as a model's name. Rows of one target stand or fall
    /// together.
    pub targets: Vec<String>,
    /// Family of each row's target; empty where it is unknown.
    pub families: Vec<String>,
    /// Log10 of each target's size; NaN where unknown.
    pub log10_sizes: Vec<f64>,
    /// What a proxy reads in each row's place and the log10 of how much larger the target is, if there are
    /// proxies.
    pub proxies: Option<Vec<Proxy>>,
    /// Features, `(n, p)`; NaN where missing.
    pub x: Array2<f64>,
    /// The target column.
    pub y: Vec<f64>,
    /// Weight of each row: 1 over the rows of its target, times the user's weight.
    pub weights: Vec<f64>,
}

/// A proxy's reading in the place of a target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proxy {
    /// The proxy's value of the target column.
    pub value: f64,
    /// Log10 of the target's size over the proxy's; 0 where sizes are not given.
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

    /// The rows at some places.
    #[must_use]
    pub fn subset(&self, places: &[usize]) -> Self {
        let pick = |values: &[f64]| places.iter().map(|&at| values[at]).collect();
        let names = |values: &[String]| places.iter().map(|&at| values[at].clone()).collect();
        Self {
            targets: names(&self.targets),
            families: names(&self.families),
            log10_sizes: pick(&self.log10_sizes),
            proxies: self.proxies.as_ref().map(|proxies| places.iter().map(|&at| proxies[at]).collect()),
            x: self.x.select(Axis(0), places),
            y: pick(&self.y),
            weights: pick(&self.weights),
        }
    }

    /// One row as a query.
    pub fn query(&self, row: usize) -> Query {
        let known = |value: f64| value.is_finite().then_some(value);
        Query {
            x: self.x.row(row).iter().map(|value| known(*value)).collect(),
            log10_size: known(self.log10_sizes[row]),
            proxy: self.proxies.as_ref().map(|proxies| proxies[row]),
        }
    }

    /// Whether every family is known and none has a second target.
    pub fn is_one_per_family(&self) -> bool {
        self.n_without_family() == 0 && self.known_families().len() == distinct(&self.targets).len()
    }

    /// Distinct families in sorted order.
    pub fn known_families(&self) -> Vec<String> {
        distinct(&self.families).into_iter().filter(|family| !family.is_empty()).collect()
    }

    /// Rows of unknown family.
    pub fn n_without_family(&self) -> usize {
        self.families.iter().filter(|family| family.is_empty()).count()
    }

    /// What the errors of a row go together with: its family, or its target where the family is unknown.
    pub fn kin(&self, row: usize) -> &str {
        if self.families[row].is_empty() { &self.targets[row] } else { &self.families[row] }
    }

    /// Mean of the target, by weight.
    pub fn mean(&self) -> f64 {
        weighted_mean(&self.y, &self.weights)
    }
}

/// What is known of one row without its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Features in the order of the card, `None` where missing.
    pub x: Vec<Option<f64>>,
    /// Log10 of the size, where known.
    pub log10_size: Option<f64>,
    /// The proxy's reading, where known.
    pub proxy: Option<Proxy>,
}

pub(crate) fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    values.iter().zip(weights).map(|(v, w)| v * w).sum::<f64>() / weights.iter().sum::<f64>()
}

/// Distinct names in sorted order.
pub(crate) fn distinct(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names
}
