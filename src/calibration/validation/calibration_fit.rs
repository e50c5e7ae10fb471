//! The fits of a calibration: the selected candidate of each regime, and the scores behind the selection.

use serde::{Deserialize, Serialize};

use super::score::CandidateScore;
use crate::calibration::candidates::basis::Basis;
use crate::calibration::candidates::fitted::FittedCandidate;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::BySplit;

/// A calibration without its provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationFit {
    /// Imputation, scaling and components, as learnt from the features of all rows.
    pub basis: Basis,
    /// The mean, for comparison.
    pub mean: FittedCandidate,
    /// The regression on log size, for comparison, if sizes are known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub size: Option<FittedCandidate>,
    /// For new models of known families: selected by the error over models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_family: Option<SelectedCandidate>,
    /// For rows within the training range: selected by the error over families.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub within_range: Option<SelectedCandidate>,
    /// For rows beyond the training range: selected by the error over families and over the stronger models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub beyond_range: Option<SelectedCandidate>,
    /// For rows below the training range: selected by the error over families and over the weaker models.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub below_range: Option<SelectedCandidate>,
}

/// Scores of every candidate on every split, and of the blend that is selected for the rows of this split.
pub type SplitScores = BySplit<Vec<CandidateScore>>;
