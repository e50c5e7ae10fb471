//! Small neural networks for critics: the layers, their gradients, and the contrastive objective.

pub(super) mod contrast;
pub(super) mod critic;
pub(super) mod encoder;
pub(super) mod network;
pub(super) mod polynomials;
