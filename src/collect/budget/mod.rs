//! Computes the cost of a collection: estimates it in advance, projects it from the first answers, and
//! enforces a spending cap.

pub mod estimate;
pub mod ledger;
pub(super) mod pilot;
pub mod price;
pub mod rates;
pub mod reservation;
pub(super) mod tokens;
