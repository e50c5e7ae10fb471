//! The selected candidate or blend, fitted on all rows, with the residuals for its intervals.

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
    /// The candidate or blend, fitted on all rows.
    pub fitted: FittedCandidate,
    /// Its held-out residuals in each split.
    pub residuals: BySplit<Residuals>,
    /// Its skill compared with the mean baseline, over the splits that decided its selection.
    pub skill: Skill,
}

impl SelectedCandidate {
    /// Name of the candidate, or `blend`.
    pub fn name(&self) -> &str {
        self.fitted.name()
    }

    /// The candidates of a blend with their weights, or the name of a single candidate.
    pub fn description(&self) -> String {
        match Blend::in_model(&self.fitted) {
            Some(blend) => format!("blend of {}", blend.describe()),
            None => self.name().into(),
        }
    }

    /// Whether the candidate needs a proxy to predict a row.
    pub(crate) fn needs_proxy(&self) -> bool {
        self.fitted.model().needs_proxy()
    }
}

/// Values whose quantiles are the interval ends, from the residuals of one split. For jackknife+ and CV+,
/// each residual is added to and subtracted from the row's prediction by the model of the same fold. Forward
/// and backward folds train only on the weaker or only on the stronger models, so predictions of their models
/// are not used. Their residuals are stretched to the gaps of the row. Each residual is then added to and
/// subtracted from `own`, the prediction of the fit on all rows.
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
