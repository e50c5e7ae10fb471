//! Regimes: the place of a row relative to the training rows. It decides which candidate, intervals and
//! back-test apply.

use serde::{Deserialize, Serialize};

use super::calibration_fit::{CalibrationFit, SplitScores};
use super::coverage::{Backtest, Coverage};
use super::score::CandidateScore;
use crate::calibration::intervals::method::IntervalMethod;
use crate::calibration::intervals::selected::SelectedCandidate;
use crate::calibration::table::folds::Split;

/// The place of a row relative to the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// A new model of a family that was trained on, within the training range.
    Interpolation,
    /// A family that was not trained on, within the training range.
    NewFamily,
    /// A row outside the training range that is not [`Self::BelowRange`]. The range covers the size, the
    /// first principal component, the distance from the training mean, the kinds of rows, and the proxy if
    /// the candidate uses it.
    Extrapolation,
    /// Weaker than every training row, by its size or its first component.
    BelowRange,
}

impl Regime {
    /// Every regime.
    pub const ALL: [Self; 4] = [Self::Interpolation, Self::NewFamily, Self::Extrapolation, Self::BelowRange];

    /// The name of the regime in cards and predictions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpolation => "interpolation",
            Self::NewFamily => "new_family",
            Self::Extrapolation => "extrapolation",
            Self::BelowRange => "below_range",
        }
    }

    /// Whether the rows of this regime lie outside the training range.
    pub fn is_beyond(self) -> bool {
        matches!(self, Self::Extrapolation | Self::BelowRange)
    }

    /// The split whose held-out rows resemble the rows of this regime.
    pub fn split(self) -> Split {
        match self {
            Self::Interpolation => Split::LeaveModelOut,
            Self::NewFamily => Split::LeaveFamilyOut,
            Self::Extrapolation => Split::Forward,
            Self::BelowRange => Split::Backward,
        }
    }

    /// The interval method of this regime.
    pub fn interval_method(self) -> IntervalMethod {
        match self {
            Self::Interpolation => IntervalMethod::JackknifePlus,
            Self::NewFamily => IntervalMethod::FamilyCvPlus,
            Self::Extrapolation => IntervalMethod::Maximum,
            Self::BelowRange => IntervalMethod::MaximumBelow,
        }
    }

    /// The candidate that was selected for this regime.
    pub fn selected(self, fit: &CalibrationFit) -> Option<&SelectedCandidate> {
        match self {
            Self::Interpolation => fit.known_family.as_ref(),
            Self::NewFamily => fit.within_range.as_ref(),
            Self::Extrapolation => fit.beyond_range.as_ref(),
            Self::BelowRange => fit.below_range.as_ref(),
        }
    }

    /// Coverage of every interval method on the split of this regime.
    pub fn coverages(self, backtest: &Backtest) -> &[Coverage] {
        match self.split() {
            Split::LeaveModelOut => &backtest.leave_model_out,
            Split::LeaveFamilyOut => &backtest.leave_family_out,
            Split::Forward => &backtest.forward,
            Split::Backward => &backtest.backward,
        }
    }

    /// Coverage of this regime's interval method on its split.
    pub fn coverage(self, backtest: &Backtest) -> Option<&Coverage> {
        self.regime_coverage(self.coverages(backtest))
    }

    /// Finds the coverage of this regime's interval method among `coverages`.
    pub(crate) fn regime_coverage(self, coverages: &[Coverage]) -> Option<&Coverage> {
        coverages.iter().find(|coverage| coverage.interval_method == self.interval_method())
    }

    /// Share of the back-tested rows for which no candidate was selected, on the split of this regime.
    pub fn refused(self, backtest: &Backtest) -> Option<f64> {
        backtest.refused.get(self.split())
    }

    /// Scores of every candidate on the split of this regime.
    pub fn scores(self, scores: &SplitScores) -> &[CandidateScore] {
        scores.get(self.split())
    }

    /// The score of one candidate on the split of this regime.
    pub fn score_of<'a>(self, candidate: &str, scores: &'a SplitScores) -> Option<&'a CandidateScore> {
        self.scores(scores).iter().find(|score| score.candidate == candidate)
    }
}
