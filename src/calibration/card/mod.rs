//! The card, the file of a fitted calibration: how it is made, described, validated, read and written.

pub(super) mod calibrate;
mod card_validation;
pub(super) mod contents;
pub(super) mod describe;
mod file;
mod summary;
