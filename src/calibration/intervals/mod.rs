//! Prediction intervals from held-out residuals.

pub(super) mod endpoints;
pub(super) mod fold_models;
pub(super) mod method;
pub(super) mod residuals;
pub(super) mod selected;
pub(super) mod skill;
