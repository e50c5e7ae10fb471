//! Models of the log density ratio `log p(x, y) / p(x) p(y)`, and the held-out score by which they are
//! compared.

pub(super) mod held_out_score;
pub(super) mod k_means;
pub(super) mod latent_classes;
pub(super) mod mixture;
pub(super) mod pairwise_log_ratios;
pub(super) mod repaired_pairs;
pub(super) mod t_density;
