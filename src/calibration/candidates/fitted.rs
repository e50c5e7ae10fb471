//! A fitted candidate with its name, as stored in cards.

use std::any::Any;
use std::sync::Arc;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::basis::Basis;
use super::linear::LinearModel;
use super::training_set::TrainingSet;
use super::{Candidate, FittedModel};
use crate::calibration::table::link::Link;
use crate::calibration::table::sample::Predictors;
use crate::error::{Error, Result};

/// A fitted candidate: its name and its fitted model. The JSON form is `{"candidate": NAME, "parameters":
/// {..}}`; the candidate with this name reads the parameters.
#[derive(Debug, Clone)]
pub struct FittedCandidate {
    candidate: String,
    model: Arc<dyn FittedModel>,
}

/// [`FittedCandidate`] in JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) candidate: String,
    pub(super) parameters: Value,
}

impl FittedCandidate {
    /// A fitted model with the name of its candidate.
    pub fn new(candidate: &str, model: Arc<dyn FittedModel>) -> Self {
        Self { candidate: candidate.into(), model }
    }

    /// Fits a candidate; `None` if the training set does not have the rows or columns that the candidate
    /// needs.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a solver fails or returns NaN.
    pub fn fit(candidate: &dyn Candidate, train: &TrainingSet) -> Result<Option<Self>> {
        let Some(model) = candidate.fit(train)? else { return Ok(None) };
        if !model.is_finite() {
            let reason = format!("candidate {} has no finite solution", candidate.name());
            return Err(Error::Calibration { reason });
        }
        Ok(Some(Self::new(candidate.name(), model)))
    }

    /// Fits a candidate to a part of a training set, starting from `whole`, its fit to the whole training
    /// set.
    ///
    /// # Errors
    /// Returns the errors of [`Self::fit`].
    pub(crate) fn fit_part(
        candidate: &dyn Candidate,
        train: &TrainingSet,
        whole: Option<&Self>,
    ) -> Result<Option<Self>> {
        let Some(whole) = whole else { return Self::fit(candidate, train) };
        let model = candidate.fit_part(train, whole.model())?.filter(|model| model.is_finite());
        Ok(model.map(|model| Self::new(candidate.name(), model)))
    }

    /// Name of the candidate.
    pub fn name(&self) -> &str {
        &self.candidate
    }

    /// The linear model, if the model is linear on the scale of the link.
    pub fn as_linear(&self) -> Option<&LinearModel> {
        (self.model() as &dyn Any).downcast_ref()
    }

    /// The fitted model.
    pub fn model(&self) -> &dyn FittedModel {
        self.model.as_ref()
    }

    /// The prediction, in the unit of the response, for a row with the completed features `x`.
    pub fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64 {
        self.model.predict(x, predictors, basis, link)
    }
}

impl PartialEq for FittedCandidate {
    fn eq(&self, other: &Self) -> bool {
        let parameters = |fitted: &Self| fitted.model.parameters().ok();
        self.candidate == other.candidate && parameters(self) == parameters(other)
    }
}

impl Serialize for FittedCandidate {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let parameters = self.model.parameters().map_err(S::Error::custom)?;
        Record { candidate: self.candidate.clone(), parameters }.serialize(serializer)
    }
}
