//! From a table to training data: reading CSV, finding columns, selecting features, and checking rows before
//! anything is fitted.

pub(super) mod checks;
pub(super) mod columns;
pub(super) mod condition;
mod features;
pub(super) mod folds;
mod levels;
pub(super) mod link;
pub(super) mod noise;
pub(super) mod prepare;
pub(super) mod ranges;
pub(super) mod sample;
pub(super) mod specification;
pub(super) mod stored_sample;
pub(super) mod tidy;
