//! Interval methods: jackknife+ and CV+ (Barber, Candes, Ramdas and Tibshirani 2021), residuals of forward or
//! backward folds, and combinations of these methods.

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
    /// Residuals of the stronger models, predicted by fits to the weaker models. The level is not guaranteed.
    Forward,
    /// From the lowest lower end of the three methods above to their highest upper end.
    Maximum,
    /// Residuals of the weaker models, predicted by fits to the stronger models. The level is not guaranteed.
    Backward,
    /// Like [`Self::Maximum`], but with [`Self::Backward`] in place of [`Self::Forward`].
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

    /// The name of the method in cards and predictions.
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

    /// The splits whose residuals an interval uses.
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

/// Returns an error for a level that is not between 0 and 1.
pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(Error::Parameter { name: "--level", reason: format!("is {level}; give a number between 0 and 1") })
}
