//! The table of reports.

use super::{Report, answers, blind, calibration, depth, predictions, profiles, shots};
use crate::error::{Error, Result};

/// The reports, in the order in which they are listed.
pub static ALL: &[&dyn Report] = &[
    &profiles::Profiles,
    &shots::Shots,
    &depth::Depth,
    &answers::Answers,
    &predictions::Predictions,
    &calibration::Calibration,
    &blind::Blind,
];

/// Finds a report by its name.
///
/// # Errors
/// [`Error::Unknown`]
pub fn find(name: &str) -> Result<&'static dyn Report> {
    let hint =
        || format!("there are {}", ALL.iter().map(|report| report.name()).collect::<Vec<_>>().join(", "));
    let found = ALL.iter().find(|report| report.name() == name);
    found.copied().ok_or_else(|| Error::Unknown { kind: "report", name: name.into(), hint: hint() })
}
