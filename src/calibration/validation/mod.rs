//! Validation: cross-validates every candidate, selects among them, back-tests the whole procedure, and
//! decides in which regimes predictions are supported.

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
