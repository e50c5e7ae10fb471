//! Validation: cross-validation of every candidate, the selection between them, the back-test of the whole
//! procedure, and what may be predicted with which reliability.

pub(super) mod backtest;
pub(super) mod calibration_fit;
pub(super) mod coverage;
pub(super) mod cross_validation;
pub(super) mod diagnostics;
pub(super) mod fit;
pub(super) mod folds;
mod nested_error;
pub(super) mod range;
pub(super) mod regime;
pub(super) mod score;
mod select;
pub(super) mod support;
mod trend;
