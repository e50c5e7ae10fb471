//! Lists all reports.

use super::{Report, answers, blind, calibration, depth, predictions, profiles, shots};
use crate::error::Result;
use crate::names;

/// All reports, in the order in which they are listed.
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
/// [`crate::Error::Unknown`] if there is no such report, with the nearest names.
pub fn find(name: &str) -> Result<&'static dyn Report> {
    names::find(name, ALL, |report| report.name()).copied().ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|report| report.name()).collect();
        let hint = format!("the reports are {}", known.join(", "));
        names::unknown("report", name, known, &hint)
    })
}
