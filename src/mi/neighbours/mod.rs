//! Implements nearest neighbours: a k-d tree, counts within a distance, and the terms of the KSG estimator.

pub(super) mod canonical_variates;
mod counts;
pub(super) mod gaussian_corrected;
pub(super) mod ksg;
mod tree;
