//! The fits of a calibration: the selected candidate of each regime, and the scores behind the selection.

use serde::{Deserialize, Serialize};

use super::score::CandidateScore;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::BySplit;

/// The fitted models of a calibration: the baselines and the selected candidate of each regime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationFit {
    /// Imputation, scaling and components, as learnt from the features of all rows.
    pub basis: Basis,
    /// Baseline: the mean of the training responses.
    pub mean: FittedCandidate,
    /// Baseline: the regression on log size; absent if sizes are unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<FittedCandidate>,
    /// Candidate for new models of known families, selected by its errors on left-out models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_family: Option<SelectedCandidate>,
    /// Candidate for rows within the training range, selected by its errors on left-out families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within_range: Option<SelectedCandidate>,
    /// Candidate for rows beyond the training range, selected by its errors on left-out families and in
    /// forward folds, which test the stronger models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond_range: Option<SelectedCandidate>,
    /// Candidate for rows below the training range, selected by its errors on left-out families and in
    /// backward folds, which test the weaker models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub below_range: Option<SelectedCandidate>,
}

/// For each split, the scores of every candidate and of the blend that was selected for the regime of the
/// split.
pub type SplitScores = BySplit<Vec<CandidateScore>>;
