//! The selected candidate or blend, fitted on all rows, with the residuals that its intervals are made of.

use serde::{Deserialize, Serialize};

use super::endpoints::EndpointQuantiles;
use super::fold_models::FoldModel;
use super::residuals::{Gaps, Residuals};
use super::skill::Skill;
use crate::calibration::candidates::blend::Blend;
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::table::folds::{BySplit, Split};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;

/// The selected candidate or blend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectedCandidate {
    /// Fitted on all rows.
    pub fitted: FittedCandidate,
    /// Its residuals in each split.
    pub residuals: BySplit<Residuals>,
    /// Its skill against the mean over the splits that it was selected by.
    pub skill: Skill,
}

impl SelectedCandidate {
    /// Name of the candidate, or `blend`.
    pub fn name(&self) -> &str {
        self.fitted.name()
    }

    /// The candidates of a blend with their weights, or the name of the one candidate.
    pub fn description(&self) -> String {
        match Blend::in_model(&self.fitted) {
            Some(blend) => format!("blend of {}", blend.describe()),
            None => self.name().into(),
        }
    }

    /// Whether it cannot predict a row without a proxy.
    pub(crate) fn needs_proxy(&self) -> bool {
        self.fitted.model().needs_proxy()
    }
}

/// The values of which interval ends are quantiles, from the residuals of one split: each fold's own
/// prediction of the row plus and minus its residuals (jackknife+ and CV+). Where the training rows of the
/// folds differ too much from all rows it is the prediction of these, `own`, with residuals stretched to
/// where the row lies.
pub(crate) fn endpoints(
    split: Split,
    residuals: &Residuals,
    folds: &[FoldModel],
    predictors: &Predictors,
    own: (f64, Gaps),
    link: Link,
) -> EndpointQuantiles {
    let (own, gaps) = own;
    if !split.trains_on_most_rows() {
        return EndpointQuantiles::new(&residuals.at(gaps), |_| own);
    }
    let centres: Vec<f64> = folds.iter().map(|fold| link.apply(fold.predict(predictors, link))).collect();
    EndpointQuantiles::new(residuals, |row| centres.get(row.fold).copied().unwrap_or(own))
}
