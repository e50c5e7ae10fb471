//! Models the log density ratio `log p(x, y) / p(x) p(y)` in several ways, and computes the held-out score
//! that compares these models.

pub(super) mod contrast;
pub(super) mod copula;
mod copula_likelihood;
pub(super) mod held_out_score;
mod k_means;
pub(super) mod latent_classes;
pub(super) mod matched_components;
pub(super) mod mixture;
pub(super) mod mixture_choice;
pub(super) mod neighbour_residual;
mod pairwise_log_ratios;
pub(super) mod repaired_pairs;
mod smooth_histogram;
mod t_density;
