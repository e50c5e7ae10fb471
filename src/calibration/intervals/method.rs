//! How an interval is made: jackknife+ and CV+ (Barber, Candes, Ramdas and Tibshirani 2021), residuals of
//! forward folds, and the union of all.

use serde::{Deserialize, Serialize};

use crate::calibration::table::folds::Split;
use crate::error::{Error, Result};

/// How an interval is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Jackknife+ over models: valid for a new model inside the training range.
    JackknifePlus,
    /// CV+ over families: valid for a new family.
    FamilyCvPlus,
    /// Errors on the stronger models of fits to the weaker; nothing guarantees its level.
    Forward,
    /// From the lowest lower end of the three to the highest upper end.
    Maximum,
    /// Errors on the weaker models of fits to the stronger; nothing guarantees its level.
    Backward,
    /// As the maximum, with errors on the weaker models in place of those on the stronger.
    MaximumBelow,
}

impl IntervalMethod {
    /// Every method.
    pub const ALL: [Self; 6] = [
        Self::JackknifePlus,
        Self::FamilyCvPlus,
        Self::Forward,
        Self::Maximum,
        Self::Backward,
        Self::MaximumBelow,
    ];

    /// Its name in cards and predictions.
    pub fn name(self) -> &'static str {
        match self {
            Self::JackknifePlus => "jackknife_plus",
            Self::FamilyCvPlus => "family_cv_plus",
            Self::Forward => "forward",
            Self::Maximum => "maximum",
            Self::Backward => "backward",
            Self::MaximumBelow => "maximum_below",
        }
    }

    /// The splits whose residuals an interval is made of.
    pub(crate) fn splits(self) -> &'static [Split] {
        match self {
            Self::JackknifePlus => &[Split::LeaveModelOut],
            Self::FamilyCvPlus => &[Split::LeaveFamilyOut],
            Self::Forward => &[Split::Forward],
            Self::Maximum => &[Split::LeaveModelOut, Split::LeaveFamilyOut, Split::Forward],
            Self::Backward => &[Split::Backward],
            Self::MaximumBelow => &[Split::LeaveModelOut, Split::LeaveFamilyOut, Split::Backward],
        }
    }
}

/// Refuses a level that is not between 0 and 1.
pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::Parameter { name: "--level", reason: format!("is {level}, not between 0 and 1") })
}
