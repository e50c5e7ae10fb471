//! Nearest neighbours in the maximum norm: the search tree, and counts of points within a radius.

pub(super) mod counts;
pub(super) mod tree;
