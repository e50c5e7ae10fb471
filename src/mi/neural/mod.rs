//! Small neural networks for critics: the layers, their gradients, and the contrastive objective.

mod contrastive_gradient;
pub(super) mod critic;
mod critic_start;
mod encoder;
pub(super) mod network;
mod polynomials;
