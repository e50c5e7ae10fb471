//! The card: the file that holds a fitted calibration, how it is made, described and validated.

pub(super) mod calibrate;
mod card_validation;
pub(super) mod contents;
pub(super) mod describe;
mod file;
