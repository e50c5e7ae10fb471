//! Candidates: the forms of regression among which a calibration chooses.
//!
//! A new candidate is one file with an implementation of [`Candidate`], and one row in [`registry::ALL`]. It
//! fits a [`FittedModel`]: a [`linear::LinearModel`] where predictions are linear on the scale of the link,
//! else a type of its own. Cross-validation, selection, intervals and the card use these two traits alone.

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

/// What a candidate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateRole {
    /// The mean of the training rows: a baseline.
    MeanBaseline,
    /// The regression on log size: a baseline.
    SizeBaseline,
    /// A regression that may be selected if it beats the baselines.
    Calibration,
}

/// A form of regression.
pub trait Candidate: Debug + Sync {
    /// Its name in cards and reports.
    fn name(&self) -> &'static str;

    /// Whether it may be selected, or is a baseline.
    fn role(&self) -> CandidateRole {
        CandidateRole::Calibration
    }

    /// Its place in the order of complexity, by how much of its form is left to the data: the simplest within
    /// one standard error of the best is selected. No two candidates have the same.
    fn complexity(&self) -> u32;

    /// Fewest rows of a whole sample for which it may be selected; folds of such a sample may have fewer.
    fn least_rows(&self) -> usize {
        0
    }

    /// Whether its form is linear on the scale of the link, so that it continues a trend beyond the training
    /// rows; others return to the mean there, or stay at the outermost responses.
    fn continues_trends(&self) -> bool {
        false
    }

    /// Fits it; `None` if the training set cannot carry it (too few rows, no size, no proxy, too few
    /// components).
    ///
    /// # Errors
    /// [`Error::Calibration`](crate::Error::Calibration) if a solver fails or returns NaN.
    fn fit(&self, train: &TrainingSet) -> Result<Option<Arc<dyn FittedModel>>>;

    /// Fits it to a part of a training set, starting from the fit to the whole; what a search over all rows
    /// has found, such as the scales of a kernel, need not be searched again. By default it is fitted anew.
    ///
    /// # Errors
    /// As [`Self::fit`].
    fn fit_part(&self, train: &TrainingSet, whole: &dyn FittedModel) -> Result<Option<Arc<dyn FittedModel>>> {
        let _ = whole;
        self.fit(train)
    }

    /// The fitted model whose parameters a card holds.
    ///
    /// # Errors
    /// If they are not the parameters of this candidate.
    fn restore(&self, parameters: Value) -> serde_json::Result<Arc<dyn FittedModel>>;
}

/// A candidate fitted to a training set.
pub trait FittedModel: Any + Debug + Send + Sync {
    /// The prediction, in the unit of the response, for predictors whose features are completed in `x`.
    fn predict(&self, x: &[f64], predictors: &Predictors, basis: &Basis, link: Link) -> f64;

    /// Its parameters as a card holds them; [`Candidate::restore`] reads them.
    ///
    /// # Errors
    /// If they cannot be written as JSON.
    fn parameters(&self) -> serde_json::Result<Value>;

    /// What is wrong with its parameters for `p` features.
    ///
    /// # Errors
    /// The parameter and what is wrong with it.
    fn check(&self, p: usize) -> std::result::Result<(), String>;

    /// Whether every parameter is a finite number.
    fn is_finite(&self) -> bool;

    /// How much each feature contributes to predictions, in any common unit: rows that lack too much of it
    /// are refused.
    fn feature_importance(&self, basis: &Basis) -> Vec<f64>;

    /// Whether it predicts from the proxy's value, and cannot predict without.
    fn needs_proxy(&self) -> bool {
        false
    }

    /// Whether its prediction depends on the size of the model.
    fn uses_size(&self) -> bool {
        false
    }

    /// Effective degrees of freedom, the constant included: the trace of its smoother matrix. `None` where it
    /// has none.
    fn effective_dof(&self, spectrum: &FeatureSpectrum) -> Option<f64> {
        let _ = spectrum;
        None
    }
}
