//! Prediction intervals from held-out residuals.

pub(super) mod residuals;
