//! Candidates: the forms a calibration may take. Each is fitted on a training set and its basis, and becomes
//! one formula that a card can hold:
//!
//! `eta = intercept + coefficients . x + size * log10(size) + proxy * link(proxy) + ratio * log10(size
//! ratio)`, `y = link^-1(eta; floor)`.

pub(super) mod basis;
mod elastic_net;
mod gain;
mod mean;
mod pcr;
#[cfg(test)]
pub(super) mod reference;
mod regression;
mod ridge;
mod sigmoid;
mod size;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use self::basis::Basis;
use super::link::Link;
use super::table::sample::{Query, Sample};
use crate::error::Result;

use self::elastic_net::ElasticNet;
#[cfg(test)]
pub(crate) use self::elastic_net::Problem;
use self::pcr::Pcr;
pub(crate) use self::regression::{fractional, least_squares};
use self::ridge::Ridge;
use self::sigmoid::Sigmoid;

/// A form of regression.
pub trait Candidate: Sync {
    /// Its name in cards and reports.
    fn name(&self) -> &'static str;

    /// Fewest rows of a whole sample for which it may be chosen; folds of such a sample may have fewer.
    fn least_rows(&self) -> usize {
        0
    }

    /// Fits it; `None` if the training set cannot carry it (too few rows, no size, no proxy, too few
    /// components).
    ///
    /// # Errors
    /// [`Error::Fit`] if a solver fails or answers with NaN.
    fn fit(&self, train: &Train) -> Result<Option<Formula>>;
}

/// Every candidate, the baselines first and then the simplest first: ridge leaves nothing of its form to the
/// data, component regressions their number, sigmoids a floor besides, the elastic net its penalty and which
/// features stay.
pub static ALL: &[&dyn Candidate] = &[
    &mean::Mean,
    &size::Size,
    &gain::GainOfSize,
    &gain::Gain,
    &Ridge,
    &Pcr { name: "pcr-1", components: 1 },
    &Pcr { name: "pcr-2", components: 2 },
    &Pcr { name: "pcr-3", components: 3 },
    &Sigmoid { name: "sigmoid-1", components: 1 },
    &Sigmoid { name: "sigmoid-2", components: 2 },
    &Sigmoid { name: "sigmoid-3", components: 3 },
    &ElasticNet,
];

/// The observational scaling law with one to four components, for comparison: how many it takes was never
/// chosen by its data, and the fourth is no candidate.
pub static SCALING_LAW: [&dyn Candidate; 4] = [
    &Sigmoid { name: "sigmoid-1", components: 1 },
    &Sigmoid { name: "sigmoid-2", components: 2 },
    &Sigmoid { name: "sigmoid-3", components: 3 },
    &Sigmoid { name: "sigmoid-4", components: 4 },
];

/// Penalty of a slope on a standardised column in a fractional logistic regression: a normal prior of
/// standard deviation 2.5, weak enough for any slope the data ask for and strong enough where they ask for
/// none (Gelman, Jakulin, Pittau and Su 2008; the default of rstanarm). It is fixed, not tuned: a few weak
/// models cannot tell penalties apart.
pub(crate) const PRIOR: f64 = 1.0 / (2.5 * 2.5);

/// Places of the baselines in [`ALL`].
pub(crate) const MEAN: usize = 0;
pub(crate) const SIZE: usize = 1;

/// A training set as the candidates see it.
#[derive(Debug)]
pub struct Train<'a> {
    /// The rows.
    pub sample: &'a Sample,
    /// What was learnt from their features.
    pub basis: &'a Basis,
    /// Filled features, `(n, p)`.
    pub x: &'a Array2<f64>,
    /// Scores on the components, `(n, k)`.
    pub scores: &'a Array2<f64>,
    /// The target on the scale of the link.
    pub eta: &'a Array1<f64>,
    /// The link.
    pub link: Link,
}

impl Train<'_> {
    /// Filled features, centred and divided by their standard deviations, `(n, p)`.
    fn standardised(&self) -> Array2<f64> {
        let basis = self.basis;
        Array2::from_shape_fn(self.x.dim(), |(i, j)| (self.x[[i, j]] - basis.centre[j]) / basis.sd[j])
    }

    /// The target as shares of its range; `None` for a target without bounds.
    fn shares(&self) -> Option<Vec<f64>> {
        let Link::Logit { low, high } = self.link else { return None };
        Some(self.sample.y.iter().map(|y| (y - low) / (high - low)).collect())
    }

    /// Regression on some columns: fractional logistic where the target has bounds, else least squares. The
    /// constant comes first.
    fn regress(&self, columns: &Array2<f64>, penalty: f64) -> Result<Vec<f64>> {
        match self.shares() {
            Some(shares) => fractional(columns, &shares, &self.sample.weights, penalty),
            None => least_squares(columns, self.eta, &self.sample.weights, penalty),
        }
    }

    /// The formula of coefficients on features centred and divided by `divisor`.
    fn formula(&self, intercept: f64, on_divided: &[f64], divisor: &[f64]) -> Formula {
        let coefficients: Vec<f64> = on_divided.iter().zip(divisor).map(|(c, d)| c / d).collect();
        let shift: f64 = coefficients.iter().zip(&self.basis.centre).map(|(c, m)| c * m).sum();
        Formula { intercept: intercept - shift, coefficients, ..Formula::default() }
    }

    /// Coefficients on components as coefficients on divided features.
    fn on_features(&self, on_components: &[f64]) -> Vec<f64> {
        let components = &self.basis.components;
        let of = |j: usize| components.iter().zip(on_components).map(|(component, c)| component[j] * c).sum();
        (0..self.x.ncols()).map(of).collect()
    }

    fn without_features(&self) -> Formula {
        Formula { coefficients: vec![0.0; self.x.ncols()], ..Formula::default() }
    }
}

/// A fitted candidate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Formula {
    /// Value of the predictor where all else is 0.
    pub intercept: f64,
    /// Coefficient of each feature, in its own unit.
    pub coefficients: Vec<f64>,
    /// Coefficient of log10 size.
    pub size: f64,
    /// Coefficient of the proxy's value on the scale of the link.
    pub proxy: f64,
    /// Coefficient of the log10 size ratio of target and proxy.
    pub ratio: f64,
    /// Share that even the weakest reach.
    pub floor: f64,
    /// Strength of the penalty that was chosen, where there is one.
    pub penalty: f64,
}

impl Formula {
    /// The prediction for a query whose features are completed in `x`.
    pub fn predict(&self, x: &[f64], query: &Query, basis: &Basis, link: Link) -> f64 {
        let along: f64 = self.coefficients.iter().zip(x).map(|(c, value)| c * value).sum();
        let mut eta = self.intercept + along;
        if self.size != 0.0 {
            eta += self.size * query.log10_size.unwrap_or(basis.log10_size);
        }
        if let Some(proxy) = query.proxy {
            eta += self.proxy * link.apply(proxy.value) + self.ratio * proxy.log10_ratio;
        }
        link.invert(eta, self.floor)
    }

    pub(crate) fn is_finite(&self) -> bool {
        let others = [self.intercept, self.size, self.proxy, self.ratio, self.floor, self.penalty];
        self.coefficients.iter().chain(&others).all(|value| value.is_finite())
    }
}
