//! Contains the estimators, each in its own file. `requirements` contains their common checks.

pub(super) mod cca_ksg;
pub mod channel;
pub(super) mod dv;
pub(super) mod ensemble;
pub(super) mod gaussian;
pub(super) mod hybrid;
pub(super) mod infonce;
pub(super) mod ksg;
pub(super) mod mine_paper;
pub(super) mod plugin;
mod requirements;
pub(super) mod t_copula;
