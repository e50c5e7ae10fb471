//! Cross-validation: folds, scores of every candidate, the choice between them, and the back-test of the whole.

pub(super) mod backtest;
pub(super) mod diagnostics;
pub(super) mod fit;
pub(super) mod folds;
pub(super) mod score;
pub(super) mod select;
pub(super) mod trial;
