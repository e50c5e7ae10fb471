//! Turns a table into training data: reads CSV, finds columns, selects features, and checks rows before
//! anything is fitted.

pub(super) mod checks;
pub(super) mod columns;
mod companions;
mod composites;
pub(super) mod condition;
mod features;
pub(super) mod folds;
mod header;
mod ids;
pub(super) mod kinds;
mod leaks;
mod left_out;
mod levels;
pub(super) mod link;
mod logarithms;
pub(super) mod noise;
pub(super) mod number;
mod numeric_columns;
pub(super) mod prepare;
pub(super) mod ranges;
mod reading;
mod relations;
pub(super) mod sample;
pub(super) mod specification;
pub(super) mod stored_sample;
pub(super) mod tidy;
