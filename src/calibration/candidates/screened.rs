//! Screens the features of wide tables: candidates are fitted on the features that correlate most with the
//! response. Every fold screens its own training rows, so the held-out errors include the cost of features
//! that are selected by chance.

use std::any::Any;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::basis::Basis;
use super::fitted::FittedCandidate;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::{Predictors, Sample};
use crate::error::Result;
use crate::numeric::statistics::{complete_pairs, pearson};

/// Maximum number of features of a fit.
const MOST_COLUMNS: usize = 60;

/// A candidate fitted on some of the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Screened {
    /// Indices of these features among all features.
    columns: Vec<usize>,
    /// The basis of these features.
    basis: Basis,
    fitted: FittedCandidate,
}

/// Fits candidates on one training set.
pub(crate) struct Fitter<'a> {
    train: TrainingSet<'a>,
    /// The basis of all features.
    pub(crate) basis: Basis,
    columns: Option<Vec<usize>>,
}

impl Fitter<'_> {
    /// Prepares a fitter for a sample and calls `use_it` with it. The search for factors starts from `near`,
    /// if given: the basis of a slightly larger sample that contains these rows.
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if linfa cannot compute the components; errors of
    /// `use_it`.
    pub(crate) fn on<T>(
        sample: &Sample,
        link: Link,
        near: Option<&Basis>,
        use_it: impl FnOnce(&Fitter) -> Result<T>,
    ) -> Result<T> {
        if sample.x.ncols() <= MOST_COLUMNS {
            let train = TrainingSet::near(sample, link, near)?;
            let basis = train.basis.clone();
            return use_it(&Fitter { train, basis, columns: None });
        }
        let columns = screen(sample, link);
        let few = Sample { x: sample.x.select(ndarray::Axis(1), &columns), ..sample.clone() };
        let train = TrainingSet::new(&few, link)?;
        let (basis, _) = Basis::fit_near(sample, near)?;
        use_it(&Fitter { train, basis, columns: Some(columns) })
    }

    /// Fits a candidate, starting from `whole`, its fit to a slightly larger sample that contains these rows.
    /// `None` if there are too few rows for the candidate.
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if a solver fails or returns NaN.
    pub(crate) fn fit(
        &self,
        candidate: &dyn Candidate,
        whole: Option<&FittedCandidate>,
    ) -> Result<Option<FittedCandidate>> {
        let Some(columns) = &self.columns else {
            return FittedCandidate::fit_part(candidate, &self.train, whole);
        };
        // A fit on other features cannot be used as a start.
        let screened = whole.and_then(|whole| (whole.model() as &dyn Any).downcast_ref::<Screened>());
        let start = screened.filter(|screened| screened.columns == *columns).map(|screened| &screened.fitted);
        let fitted = FittedCandidate::fit_part(candidate, &self.train, start)?;
        Ok(fitted.map(|fitted| {
            let screened = Screened { columns: columns.clone(), basis: self.train.basis.clone(), fitted };
            FittedCandidate::new(candidate.name(), Arc::new(screened))
        }))
    }
}

/// The features that correlate most with the response on the scale of the link, in the order of the table.
/// Correlations over few known cells are shrunk.
fn screen(sample: &Sample, link: Link) -> Vec<usize> {
    let eta: Vec<f64> = sample.y.iter().map(|y| link.apply(*y)).collect();
    let score = |j: usize| {
        let (x, y) = complete_pairs(&sample.x.column(j).to_vec(), &eta);
        let correlation = pearson(&x, &y).abs();
        let shrunk = correlation * (x.len() as f64 / sample.len() as f64).sqrt();
        if shrunk.is_finite() { shrunk } else { 0.0 }
    };
    let mut scores: Vec<(f64, usize)> = (0..sample.x.ncols()).map(|j| (score(j), j)).collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut columns: Vec<usize> = scores.into_iter().take(MOST_COLUMNS).map(|(_, j)| j).collect();
    columns.sort_unstable();
    columns
}

impl Screened {
    /// Restores a screened model from its parameters in a card; `None` if the parameters do not belong to a
    /// screened model.
    pub(super) fn restore(parameters: &Value) -> Option<serde_json::Result<Arc<dyn FittedModel>>> {
        parameters.get("columns").and(parameters.get("fitted"))?;
        let model = Self::deserialize(parameters);
        Some(model.map(|model| -> Arc<dyn FittedModel> { Arc::new(model) }))
    }
}

impl FittedModel for Screened {
    fn predict(&self, _: &[f64], predictors: &Predictors, _: &Basis, link: Link) -> f64 {
        let cell = |j: &usize| predictors.x.get(*j).copied().flatten();
        let few = Predictors { x: self.columns.iter().map(cell).collect(), ..predictors.clone() };
        self.fitted.predict(&self.basis.complete(&few), &few, &self.basis, link)
    }

    fn parameters(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check(&self, p: usize) -> std::result::Result<(), String> {
        if self.columns.iter().any(|column| *column >= p) {
            return Err(format!(
                "columns contains the index of a feature that does not exist; there are {p} features"
            ));
        }
        if self.basis.mean.len() != self.columns.len() {
            return Err("basis does not have one entry for each of the columns".into());
        }
        self.fitted.model().check(self.columns.len())
    }

    fn is_finite(&self) -> bool {
        self.fitted.model().is_finite()
    }

    fn feature_importance(&self, basis: &Basis) -> Vec<f64> {
        let mut all = vec![0.0; basis.sd.len()];
        let own = self.fitted.model().feature_importance(&self.basis);
        self.columns.iter().zip(own).for_each(|(column, own)| all[*column] = own);
        all
    }

    fn needs_proxy(&self) -> bool {
        self.fitted.model().needs_proxy()
    }

    fn uses_size(&self) -> bool {
        self.fitted.model().uses_size()
    }
}
