//! Computes what a collection costs: an estimate before it starts, a projection from its first answers, and a
//! spending cap.

pub mod estimate;
pub mod ledger;
pub(super) mod pilot;
pub mod price;
pub mod rates;
pub mod reservation;
pub(super) mod tokens;
