//! The selected candidate, fitted on all rows, with the residuals that its intervals are made of.

use serde::{Deserialize, Serialize};

use super::endpoints::EndpointQuantiles;
use super::method::IntervalMethod;
use super::residuals::Residuals;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::table::folds::{BySplit, Split};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;

/// The selected candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectedCandidate {
    /// Fitted on all rows.
    pub fitted: FittedCandidate,
    /// Its residuals in each split.
    pub residuals: BySplit<Residuals>,
}

impl SelectedCandidate {
    /// Name of the candidate.
    pub fn name(&self) -> &str {
        self.fitted.name()
    }

    /// Whether it cannot predict a row without a proxy.
    pub(crate) fn needs_proxy(&self) -> bool {
        self.fitted.model().needs_proxy()
    }

    /// The values of which interval ends are quantiles, from the residuals of one split.
    pub(crate) fn endpoints(
        &self,
        split: Split,
        x: &[f64],
        predictors: &Predictors,
        basis: &Basis,
        link: Link,
    ) -> EndpointQuantiles {
        let centre = |fitted: &FittedCandidate| link.apply(fitted.predict(x, predictors, basis, link));
        let residuals = self.residuals.get(split);
        if split == Split::Forward {
            let own = centre(&self.fitted);
            return EndpointQuantiles::new(residuals, |_| own);
        }
        let centres: Vec<f64> = residuals.folds.iter().map(centre).collect();
        EndpointQuantiles::new(residuals, |row| centres[row.fold])
    }

    /// The ends of an interval on the scale of the link, and whether there are residuals enough for the
    /// level.
    pub(crate) fn interval(
        &self,
        method: IntervalMethod,
        x: &[f64],
        predictors: &Predictors,
        basis: &Basis,
        link: Link,
        level: f64,
    ) -> (f64, f64, bool) {
        let splits = method.splits().iter();
        let endpoints = splits.map(|split| self.endpoints(*split, x, predictors, basis, link));
        let ends = endpoints.filter(|ends| !ends.is_empty()).map(|ends| ends.at(level));
        ends.fold((f64::INFINITY, f64::NEG_INFINITY, true), |(low, high, enough), end| {
            (low.min(end.0), high.max(end.1), enough && end.2)
        })
    }
}
