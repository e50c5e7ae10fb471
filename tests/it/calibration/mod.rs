//! Tests calibration and prediction through the real binary.

pub mod bad_tables;
pub mod cards;
pub mod edited_cards;
pub mod emergent;
pub mod explained;
pub mod leaks;
pub mod noise;
pub mod notations;
pub mod observations;
pub mod refusals;
pub mod unknown;
pub mod wrong_numbers;
