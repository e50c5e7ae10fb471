//! Implements small neural networks for critics: layers, gradients, and the contrastive objective.

mod contrastive_gradient;
pub(super) mod critic;
mod critic_start;
mod encoder;
pub(super) mod network;
mod polynomials;
