//! The card: the file that holds a fitted calibration, its description, and its validation.

pub(super) mod card_validation;
pub(super) mod describe;
pub(super) mod file;
