//! Candidates: the regressions from which a calibration selects.
//!
//! A new candidate is one file with an implementation of [`Candidate`], and one row in [`registry::ALL`]. A
//! candidate fits a [`FittedModel`]: a [`linear::LinearModel`] if predictions are linear on the scale of the
//! link, otherwise a type of its own. Cross-validation, selection, intervals and the card use only these two
//! traits.

pub(super) mod basis;
pub(super) mod blend;
mod chain;
mod completion;
mod elastic_net;
pub(super) mod factor_model;
mod family_offset;
pub(super) mod fitted;
pub(super) mod fitted_candidates;
mod floored;
mod forest;
mod gain;
mod gaussian_process;
mod kernel_matrix;
pub mod linear;
mod mean;
mod pcr;
pub mod registry;
mod regression;
mod restored;
mod ridge;
#[cfg(test)]
mod scikit_learn;
pub(super) mod screened;
mod sigmoid;
pub(super) mod size;
pub(super) mod training_set;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use serde_json::Value;

use self::basis::Basis;
use self::training_set::{FeatureSpectrum, TrainingSet};
use super::table::link::Link;
use super::table::sample::Predictors;
use crate::error::Result;

/// The role of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateRole {
    /// The baseline that predicts the mean of the training responses.
    MeanBaseline,
    /// The baseline that predicts only from log size.
    SizeBaseline,
    /// A regression that may be selected.
    Calibration,
}

/// A kind of regression.
pub trait Candidate: Debug + Sync {
    /// The name of the candidate in cards and reports.
    fn name(&self) -> &'static str;

    /// The role of the candidate. By default, it is a regression that may be selected.
    fn role(&self) -> CandidateRole {
        CandidateRole::Calibration
    }

    /// The rank of the candidate by complexity, which grows with the flexibility of its form. Among
    /// candidates with equal errors, the simplest comes first. No two candidates have the same complexity.
    fn complexity(&self) -> u32;

    /// Minimum number of rows of the whole sample for the candidate to be selected. Folds of the sample may
    /// have fewer rows.
    fn least_rows(&self) -> usize {
        0
    }

    /// Whether the candidate is linear on the scale of the link, so that it continues a trend beyond the
    /// training rows. Beyond them, predictions of the other candidates return to the mean or stay near the
    /// most extreme training responses.
    fn continues_trends(&self) -> bool {
        false
    }

    /// Fits the candidate. Returns `None` if the training set does not have what the candidate needs: enough
    /// rows, sizes, proxies, or components.
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if a solver fails or returns NaN.
    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>>;

    /// Fits the candidate to a part of a training set, starting from `whole`, its fit to the whole training
    /// set. Results of a search over all rows, such as the scales of a kernel, may be reused. By default, the
    /// candidate is fitted from scratch.
    ///
    /// # Errors
    /// Returns the errors of [`Self::fit`].
    fn fit_part(&self, train: &TrainingSet, whole: &dyn FittedModel) -> Result<Option<Arc<dyn FittedModel>>> {
        let _ = whole;
        self.fit(train)
    }

    /// Restores the fitted model from its parameters in a card.
    ///
    /// # Errors
    /// Returns an error if the parameters are not valid for this candidate.
    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>>;
}

/// A candidate fitted to a training set.
pub trait FittedModel: Any + Debug + Send + Sync {
    /// The prediction, in the unit of the response, for a row with the completed features `x`.
    fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64;

    /// The parameters for a card; [`Candidate::restore`] reads them.
    ///
    /// # Errors
    /// Returns an error if the parameters cannot be written as JSON.
    fn parameters(&self) -> serde_json::Result<Value>;

    /// Checks the parameters against the number of features, `p`.
    ///
    /// # Errors
    /// Names the invalid parameter and what is wrong with it.
    fn check(&self, p: usize) -> std::result::Result<(), String>;

    /// Whether every parameter is a finite number.
    fn is_finite(&self) -> bool;

    /// The contribution of each feature to predictions, in any common unit. If a row is refused for lack of
    /// skill, the message suggests adding the missing feature with the largest contribution.
    fn feature_importance(&self, basis: &Basis) -> Vec<f64>;

    /// Whether the model needs the proxy's value to predict.
    fn needs_proxy(&self) -> bool {
        false
    }

    /// Whether predictions depend on the size of the row's model.
    fn uses_size(&self) -> bool {
        false
    }

    /// Effective degrees of freedom, including the constant: the trace of the smoother matrix. `None` if the
    /// model has no smoother matrix.
    fn effective_dof(&self, spectrum: &FeatureSpectrum) -> Option<f64> {
        let _ = spectrum;
        None
    }
}
